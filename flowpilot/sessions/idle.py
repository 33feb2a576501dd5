"""Sessions that nobody works in any more."""

from datetime import datetime

from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Source, Status
from resolutionflow.accounts.models import Account
from resolutionflow.tenancy import account_scope


def close_idle_sessions(now: datetime) -> int:
    """Closes, in every account, what was active and without a sign of life for the account's idle limit; how many.

    They can be taken up again. Imported sessions are as their file says, and a call for help waits as long as it must.
    One statement an account: a session that is worked in at the same moment stays open, and twice closes nothing twice.
    """
    closed = 0
    for account in Account.objects.order_by("id"):
        with account_scope(account):
            idle = Session.objects.filter(
                status=Status.ACTIVE, last_activity_at__lt=now - account.idle_limit
            ).exclude(source=Source.IMPORT)
            closed += idle.update(status=Status.ABANDONED)
    return closed
