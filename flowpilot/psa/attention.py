"""What team admins have to know wherever they are: a connection that is held, pushes that need somebody."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from flowpilot.psa.models import PsaConnection, PsaPush
from flowpilot.psa.states import Hold
from flowpilot.psa.words import HOLDS
from resolutionflow.accounts.models import Account, User
from resolutionflow.accounts.scoping import account_of
from resolutionflow.tenancy import account_scope

BREATH = timedelta(
    minutes=10
)  # a shorter wait that the ticket system asked for has passed before anybody looks


def psa(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `psa.attention`, how many pushes, and `psa.held`, why a connection is. For who leads the team;
    one query over its connections, and only where the frame is shown."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.leads_team:
        return {}
    return {"psa": SimpleLazyObject(lambda: _attention(request))}


def _attention(request: HttpRequest) -> Mapping[str, Any]:
    account: Account | None = getattr(request, "account", None) or account_of(request)
    if account is None:
        return {}
    with account_scope(account):
        wanting: Any = PsaPush.objects.filter(account=OuterRef("account"), connection=OuterRef("pk"))
        number = wanting.wanting_a_person().order_by().values("account").annotate(n=Count("pk")).values("n")
        rows = list(
            PsaConnection.objects.annotate(attention=Coalesce(Subquery(number), 0)).values(
                "active", "attention", "held_reason", "held_until", "provider"
            )
        )
    now = getattr(request, "now", None) or timezone.now()
    held = [
        row
        for row in rows
        if row["active"]
        and row["held_until"]
        and row["held_until"] > (now + BREATH if row["held_reason"] == Hold.TOO_MANY_REQUESTS else now)
    ]
    return {
        "attention": sum(row["attention"] for row in rows),
        "held": HOLDS.get(held[0]["held_reason"], "") if held else "",
        "held_provider": held[0]["provider"] if held else "",
    }
