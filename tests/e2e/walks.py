"""Sessions that went through the steps of a flow, few enough to be counted by hand.

Of the second version, on 9 March, 8 sessions of Jonas: he answers "No" at the root in all of them and does the action
behind it, each step within half a minute. 6 are resolved there; 2 are given up at the action. He found the root helpful
in 5, not helpful in 1.
"""

from datetime import datetime, timedelta
from typing import Any

from flowpilot.models import Flow
from flowpilot.tests.factories import FlowVersionFactory, SessionFactory, StepFactory
from ratings.tests.factories import StepRatingFactory
from tests.e2e.rows import NOW, Team

STRUCTURE = {
    "id": "root",
    "type": "question",
    "title": "Does Outlook start in safe mode?",
    "options": [{"label": "Yes", "next": "done"}, {"label": "No", "next": "repair"}],
    "children": [
        {"id": "repair", "type": "action", "title": "Repair Office", "next": "done"},
        {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Outlook starts"},
    ],
}


def make_walks(team: Team) -> Flow:
    """Writes the rows above into the account in scope."""
    flow, at = team.outlook, NOW - timedelta(days=1)
    flow.current_version = FlowVersionFactory(flow=flow, number=2, structure=STRUCTURE)
    flow.save()
    root = StepFactory(flow=flow, node_id="root", title=STRUCTURE["title"])
    StepFactory(flow=flow, node_id="repair", title="Repair Office")
    for number in range(8):
        session = SessionFactory(
            user=team.jonas,
            flow=flow,
            flow_version=flow.current_version,
            started_at=at,
            status="resolved" if number < 6 else "abandoned",
            decisions=[_decision("root", "No", at, 30), _decision("repair", "", at, 60)],
        )
        if number < 6:
            StepRatingFactory(step=root, session=session, was_helpful=number < 5)
    return flow


def _decision(node_id: str, answer: str, started_at: datetime, seconds: int) -> dict[str, Any]:
    at = (started_at + timedelta(seconds=seconds)).isoformat()
    rest = {"title": node_id, "note": "", "undone_at": None, "taken_over": False}
    return {"id": node_id, "node_id": node_id, "answer": answer, "at": at} | rest
