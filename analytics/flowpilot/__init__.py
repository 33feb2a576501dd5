"""FlowPilot analytics: what a team lead asks of the flows. Each module has the rows of one tab."""
