"""The jobs of analytics."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from analytics.digest import sending
from analytics.digest.weeks import due_week
from analytics.flow_quality import recalculate
from resolutionflow.accounts.models import Account
from resolutionflow.jobs import daily, every_minutes, job
from resolutionflow.tenancy import account_scope


@job("digest.send", "Send a weekly digest")
def send_digest(account_id: str, delivery_id: str) -> None:
    sending.send(UUID(account_id), UUID(delivery_id), now=timezone.now())


@job(
    "digest.queue",
    "Queue weekly digests",
    about="Finds the accounts where it is Monday, 7:00 or later, and queues a mail to everybody who wants one.",
    schedule=every_minutes(15),
)
def queue_digests(now: datetime) -> None:
    for account in Account.objects.order_by("id"):
        week = due_week(now, account.tz)
        if week is None:
            continue
        with account_scope(account), transaction.atomic():
            for delivery in sending.new_deliveries(account, week):
                send_digest.defer(account_id=str(account.id), delivery_id=str(delivery.id))


@job(
    "flow_quality.recalculate",
    "Recalculate flow quality",
    about="Writes the figures that the library shows of each flow: usage, last use, success rate, quality score.",
    schedule=daily(2, 40),
)
def recalculate_flow_quality(now: datetime) -> None:
    for account in Account.objects.order_by("id"):
        recalculate(account, now=now)
