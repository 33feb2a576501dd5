"""How many sessions of the account ask for help, for the navigation of every page."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Status
from resolutionflow.accounts.models import Account, User
from resolutionflow.accounts.scoping import account_of
from resolutionflow.tenancy import account_scope


def counts(request: HttpRequest) -> dict[str, Any]:
    """Context processor. One query, over an index of the open sessions, and only where the navigation is shown."""
    if not isinstance(getattr(request, "user", None), User):
        return {}
    return {"counts": {"help_wanted": SimpleLazyObject(lambda: _help_wanted(request))}}


def _help_wanted(request: HttpRequest) -> int:
    account: Account | None = getattr(request, "account", None) or account_of(request)
    if account is None:
        return 0
    with account_scope(account):
        return int(Session.objects.filter(status=Status.REQUESTING_ESCALATION).count())
