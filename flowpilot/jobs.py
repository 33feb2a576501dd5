"""The jobs of flowpilot."""

from datetime import datetime
from uuid import UUID

from flowpilot.psa import delivery, sweep
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


@job("psa.deliver", "Deliver to a ticket system", alone_for="account_id")
def deliver_to(account_id: str) -> None:
    if delivery.deliver(UUID(account_id)).more:
        deliver_to.defer(account_id=account_id)


@job(
    "psa.queue",
    "Queue deliveries to ticket systems",
    about="Finds the accounts with notes, time or statuses that are due to be sent or looked up, and queues that.",
    schedule=every_minutes(1),
)
def queue_deliveries(now: datetime) -> None:
    for account_id in delivery.accounts_with_work(now):
        deliver_to.defer(account_id=str(account_id))


@job(
    "psa.sweep",
    "Look for doubles in ticket systems",
    about="Looks again at what had not been certain half an hour before: whether it is there, and only once.",
    schedule=every_minutes(5),
)
def sweep_ticket_systems(now: datetime) -> None:
    for account_id in sweep.accounts_with_work(now):
        sweep.sweep(account_id)
