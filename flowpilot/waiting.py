"""What waits for somebody in the account, for the navigation of every page."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from flowpilot.proposals.models import FlowProposal
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Status
from resolutionflow.accounts.models import Account, User
from resolutionflow.accounts.scoping import account_of
from resolutionflow.tenancy import account_scope


def counts(request: HttpRequest) -> dict[str, Any]:
    """Context processor. One query over an index for each entry that the navigation shows, and none where it is not."""
    if not isinstance(getattr(request, "user", None), User):
        return {}
    return {
        "counts": {
            "help_wanted": SimpleLazyObject(lambda: _counted(request, _help_wanted)),
            "proposals": SimpleLazyObject(lambda: _counted(request, _pending_proposals)),
        }
    }


def _counted(request: HttpRequest, count: Callable[[], int]) -> int:
    account: Account | None = getattr(request, "account", None) or account_of(request)
    if account is None:
        return 0
    with account_scope(account):
        return count()


def _help_wanted() -> int:
    return int(Session.objects.filter(status=Status.REQUESTING_ESCALATION).count())


def _pending_proposals() -> int:
    return int(FlowProposal.objects.filter(status=FlowProposal.Status.PENDING).count())
