"""The jobs of flowpilot."""

from datetime import datetime

from flowpilot.sessions import idle
from resolutionflow.jobs import hourly, job


@job(
    "sessions.close_idle",
    "Close idle sessions",
    about="Closes active sessions that nobody worked in for the account's idle limit. They can be taken up again.",
    schedule=hourly(10),
)
def close_idle_sessions(now: datetime) -> None:
    idle.close_idle_sessions(now)
