"""Who gets a digest, and that each gets it once.

A delivery is written together with its job, under a lock on the account: two workers that find the same week due make
each delivery once. The job locks its delivery while it sends, so one that runs twice sends once. Only a worker that
dies between the mail server's yes and the commit leaves a second mail.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from analytics.digest.mail import compose
from analytics.digest.models import DigestDelivery
from resolutionflow.accounts.models import Account, User
from resolutionflow.tenancy import account_scope

MOST_REQUESTS = 3  # of a person, in an hour


def readers(account: Account) -> QuerySet[User]:
    """Who wants a digest and can read one: people who were imported never signed in, and have no real address."""
    wanting = User.objects.filter(
        account=account, is_active=True, weekly_digest=True, last_login__isnull=False
    )
    return wanting.exclude(email__endswith=".invalid").order_by("id")


def new_deliveries(account: Account, week: date) -> list[DigestDelivery]:
    """Makes those of the week that are not there yet. Inside a transaction, with the account in scope."""
    # Beside it sessions may start: their key to the account is not changed.
    Account.objects.select_for_update(no_key=True).get(id=account.id)
    made = set(DigestDelivery.objects.filter(week=week, requested_at=None).values_list("user_id", flat=True))
    rows = [DigestDelivery(user=user, week=week) for user in readers(account) if user.id not in made]
    return DigestDelivery.objects.bulk_create(rows)


def requested_delivery(user: User, week: date, *, now: datetime) -> DigestDelivery | None:
    """One for a person who does not want to wait for Monday; None if they asked too often."""
    recent = DigestDelivery.objects.filter(user=user, requested_at__gt=now - timedelta(hours=1))
    if recent.count() >= MOST_REQUESTS:
        return None
    return DigestDelivery.objects.create(user=user, week=week, requested_at=now)


def send(account_id: UUID, delivery_id: UUID, *, now: datetime) -> bool:
    """Sends the mail of a delivery unless that was done, or nobody wants it any more. Returns whether it went out."""
    account = Account.objects.filter(id=account_id).first()
    if account is None:
        return False
    with account_scope(account), transaction.atomic():
        delivery = DigestDelivery.objects.select_for_update().filter(id=delivery_id, sent_at=None).first()
        if delivery is None:
            return False
        user = User.objects.get(id=delivery.user_id)
        if not user.is_active or not (user.weekly_digest or delivery.requested_at):
            return False
        compose(user, account, delivery.week, now=now).send()
        delivery.sent_at = now
        delivery.save(update_fields=["sent_at"])
        return True
