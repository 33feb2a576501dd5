"""Which pushes the ledger shows, and which sessions have no time in the ticket system."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from flowpilot.psa.models import PsaActivityLog, PsaPush
from flowpilot.psa.states import UNFINISHED, State
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Source, Status
from resolutionflow.storable import UNSTORABLE

PERIODS = {"7d": 7, "30d": 30, "90d": 90}


class LedgerForm(forms.Form):
    """Filters of the ledger. Bad ones filter nothing and say so."""

    STATES: ClassVar = [
        ("attention", "Needs attention"),
        ("under_way", "Under way"),
        ("delivered", "Delivered"),
        ("all", "All"),
    ]

    state = forms.ChoiceField(choices=STATES, required=False)
    kind = forms.ChoiceField(
        label="What", choices=[("", "Everything"), *PsaPush.Kind.choices], required=False
    )
    q = forms.CharField(label="Ticket or session", max_length=100, required=False)

    def clean_q(self) -> str:
        return UNSTORABLE.sub("", self.cleaned_data["q"])

    def wanted(self) -> dict[str, Any]:
        return self.cleaned_data if self.is_valid() else {}

    def pushes(self) -> QuerySet[PsaPush]:
        """Newest first; replaced ones only among all."""
        wanted = self.wanted()
        rows: Any = PsaPush.objects.all()
        state = wanted.get("state")
        if state == "attention":
            rows = rows.wanting_a_person()
        elif state == "under_way":
            rows = rows.standing().filter(status__in=UNFINISHED)
        elif state == "delivered":
            rows = rows.filter(status=State.SUCCESS)
        if kind := wanted.get("kind"):
            rows = rows.filter(kind=kind)
        if words := wanted.get("q"):
            rows = rows.filter(
                Q(psa_ticket_id__iexact=words)
                | Q(session__problem_summary__icontains=words)
                | Q(external_id=words)
            )
        pushes: QuerySet[PsaPush] = (
            rows.select_related("connection", "session", "session__client")
            .defer("session__decisions", "payload")
            .order_by("-created_at", "-id")
        )
        return pushes


def counts() -> dict[str, int]:
    """How many pushes each filter of the state leaves."""
    rows: Any = PsaPush.objects.all()
    attention = rows.wanting_a_person().count()
    found: dict[str, int] = rows.aggregate(
        under_way=Count("pk", filter=Q(status__in=UNFINISHED)),
        delivered=Count("pk", filter=Q(status=State.SUCCESS)),
        all=Count("pk"),
    )
    return {"attention": attention} | found


class WithoutTimeForm(forms.Form):
    """Filters of the resolved sessions without time."""

    period = forms.ChoiceField(
        choices=[(name, f"{days} days") for name, days in PERIODS.items()], required=False
    )
    ticket = forms.ChoiceField(
        choices=[("", "With and without a ticket"), ("yes", "With a ticket"), ("no", "Without a ticket")],
        required=False,
    )

    def sessions(self, now: datetime) -> QuerySet[Session]:
        """Resolved here within the period, with no time in the ticket system and none on its way, newest first.

        Imported sessions are left out: nobody can tell whether their time was entered.
        """
        wanted = self.cleaned_data if self.is_valid() else {}
        since = now - timedelta(days=PERIODS[wanted.get("period") or "30d"])
        rows = without_time(
            Session.objects.filter(completed_at__gte=since, completed_at__lte=now).exclude(
                source=Source.IMPORT
            )
        )
        if ticket := wanted.get("ticket"):
            rows = rows.filter(psa_ticket_id__isnull=ticket == "no")
        return rows.select_related("client", "user").defer("decisions").order_by("-completed_at", "-id")


def without_time(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """The resolved ones of which the ticket system holds no time, and to which none is on its way."""
    of_session = {"session": OuterRef("pk"), "account": OuterRef("account")}
    logged = PsaActivityLog.objects.filter(
        **of_session, activity_type=PsaActivityLog.ActivityType.TIME_ENTRY_POSTED
    )
    under_way = PsaPush.objects.filter(**of_session, kind=PsaPush.Kind.TIME_ENTRY, status__in=UNFINISHED)
    return sessions.filter(~Exists(logged), ~Exists(under_way), status=Status.RESOLVED)
