"""How many sessions each person has open, and the list behind that number."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count

from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.states import Status
from resolutionflow.accounts.models import Account, User
from resolutionflow.links import url_with

OPEN = {"period": "all", "status": [Status.ACTIVE.value, Status.REQUESTING_ESCALATION.value]}


def open_sessions(viewer: User, account: Account, now: datetime) -> dict[UUID, int]:
    """By the id of their engineer; who has none is missing."""
    form = SessionFilterForm(OPEN, viewer=viewer, account=account, now=now)
    return dict(form.sessions().order_by().values_list("user").annotate(Count("pk")))


def open_sessions_of(person: User) -> str:
    """The address of the list that has exactly these."""
    return url_with("sessions:list", {**OPEN, "engineer_id": person.pk})
