"""The jobs of flowpilot."""

from datetime import datetime

from flowpilot.analysis import running
from flowpilot.sessions import idle
from resolutionflow.jobs import every_minutes, hourly, job


@job(
    "sessions.close_idle",
    "Close idle sessions",
    about="Closes active sessions that nobody worked in for the account's idle limit. They can be taken up again.",
    schedule=hourly(10),
)
def close_idle_sessions(now: datetime) -> None:
    idle.close_idle_sessions(now)


@job(
    "analysis.run",
    "Analyse sessions",
    about="Reads resolved sessions that no flow guided and proposes flows for problems that came up again and again.",
    schedule=every_minutes(10),
)
def analyse_sessions(now: datetime) -> None:
    running.analyse_all(now)
