"""Which pushes the ledger shows, and which sessions have no time in the ticket system."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from flowpilot.psa.models import OPEN, PsaActivityLog, PsaPush
from flowpilot.psa.resending import repeatable
from flowpilot.psa.showing import placed
from flowpilot.psa.states import UNFINISHED, State
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Source, Status
from resolutionflow.links import url_with
from resolutionflow.storable import UNSTORABLE

DELIVERED = Q(status=State.SUCCESS)
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
    q = forms.CharField(label="Ticket, session or client", max_length=100, required=False)

    def clean_q(self) -> str:
        return UNSTORABLE.sub("", self.cleaned_data["q"])

    def wanted(self) -> dict[str, Any]:
        return self.cleaned_data if self.is_valid() else {}

    def pushes(self) -> QuerySet[Any]:
        """Newest first, those of one end of a session together; replaced ones only among all."""
        wanted = self.wanted()
        asked = STATES.get(wanted.get("state") or "")
        rows: Any = asked() if asked else PsaPush.objects.all()
        if kind := wanted.get("kind"):
            rows = rows.filter(kind=kind)
        if words := wanted.get("q"):
            rows = rows.filter(
                Q(psa_ticket_id__iexact=words.removeprefix("#"))
                | Q(session__problem_summary__icontains=words)
                | Q(session__client__name__icontains=words)
                | Q(external_id=words)
            )
        return entries(rows)


def entries(pushes: QuerySet[PsaPush]) -> QuerySet[Any]:
    """With all that an entry of the ledger shows, in its order. A page asks for its ids first: where each push stands
    would be worked out for the whole ledger else."""
    return (
        placed(pushes)
        .select_related("connection", "session", "session__client")
        .defer("payload", "session__decisions")
        .order_by("-created_at", "session", "-revision", "place", "part")
    )


def under_way() -> QuerySet[PsaPush]:
    """What arrives without anybody's doing."""
    rows: Any = PsaPush.objects.filter(status__in=UNFINISHED)
    stuck: Any = PsaPush.objects.all()
    found: QuerySet[PsaPush] = rows.standing().exclude(pk__in=stuck.stuck().values("pk"))
    return found


def _attention() -> QuerySet[PsaPush]:
    rows: Any = PsaPush.objects.all()
    attention: QuerySet[PsaPush] = rows.wanting_a_person()
    return attention


# Which pushes each state of the filter leaves; what is counted beside it is the same.
STATES: dict[str, Callable[[], QuerySet[PsaPush]]] = {
    "attention": _attention,
    "under_way": under_way,
    "delivered": lambda: PsaPush.objects.filter(DELIVERED),
}


def counts() -> dict[str, int]:
    """How many pushes each state of the filter leaves, how many there are, and how many can be sent again at once."""
    open_ones = {name: STATES[name] for name in ("attention", "under_way")} | {"repeatable": repeatable}
    each = {name: Count("pk", filter=Q(pk__in=rows().values("pk"))) for name, rows in open_ones.items()}
    found: dict[str, int] = PsaPush.objects.filter(OPEN).aggregate(**each)
    found |= PsaPush.objects.aggregate(delivered=Count("pk", filter=DELIVERED), all=Count("pk"))
    return found


def ledger_href(query: str) -> str:
    """The ledger with the filters that a query string names, for the way back to where somebody was."""
    wanted = LedgerForm(QueryDict(query[:500].replace("\0", ""))).wanted()
    return url_with("psa:ledger", {name: wanted.get(name) for name in ("state", "kind", "q")})


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
    coming = PsaPush.objects.filter(**of_session, kind=PsaPush.Kind.TIME_ENTRY, status__in=UNFINISHED)
    return sessions.filter(~Exists(logged), ~Exists(coming), status=Status.RESOLVED)
