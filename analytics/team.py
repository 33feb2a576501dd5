"""Team analytics: which sessions are meant, and the rows of each panel. Page and JSON read the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property, partial
from typing import Any

from django import forms
from django.db.models import Count, F, Max, Window
from django.db.models.functions import Rank
from django.http import Http404, QueryDict

from flowpilot.clients.choices import client_choices
from flowpilot.metrics import SessionQuerySet
from flowpilot.models import Client
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.states import Outcome
from ratings.metrics import RATINGS_OF_SESSIONS
from resolutionflow.accounts.choices import engineer_choices
from resolutionflow.accounts.models import Account, User
from resolutionflow.links import url_with
from resolutionflow.long_select import LongSelect
from resolutionflow.metrics import Metric, every_day
from resolutionflow.period_form import PeriodForm
from resolutionflow.periods import Period

SUMMARY = ("sessions", "completed", "completion_rate", "median_duration", "active_engineers", *Outcome.values)
SERIES = ("sessions", *Outcome.values)
ROW = ("sessions", "completed", "completion_rate", "median_duration")
TOP = 10
COMPLETED = {
    "outcome": Outcome.values
}  # as a filter of the session list: only completed sessions have an outcome


class TeamForm(PeriodForm):
    """The filters of team analytics. The choices are asked for once, and only where the form is shown."""

    client_id = forms.UUIDField(
        required=False,
        label="Client",
        widget=LongSelect(),
        error_messages={"invalid": "This is not the id of a client."},
    )
    engineer_id = forms.UUIDField(
        required=False,
        label="Engineer",
        widget=LongSelect(),
        error_messages={"invalid": "This is not the id of an engineer."},
    )

    def __init__(self, data: QueryDict | dict[str, Any], *, account: Account, now: datetime) -> None:
        super().__init__(data, now=now, tz=account.tz)
        fields: dict[str, Any] = self.fields
        fields["client_id"].widget.choices = cache(client_choices)
        fields["engineer_id"].widget.choices = cache(partial(engineer_choices, account))


@dataclass(frozen=True)
class TeamQuery:
    """The sessions that a team page is about, and the links to them."""

    viewer: User
    account: Account
    now: datetime
    period: Period
    engineer: User | None = None
    client: Client | None = None

    @classmethod
    def read(cls, form: TeamForm, *, viewer: User, account: Account, now: datetime) -> "TeamQuery":
        """Raises Http404 for an engineer or a client that the account does not have; other faults stay in the form."""
        period = form.chosen_period()
        engineer = client = None
        if engineer_id := form.cleaned_data.get("engineer_id"):
            engineer = User.objects.filter(account=account, id=engineer_id).first()
            if engineer is None:
                raise Http404("No such engineer")
        if client_id := form.cleaned_data.get("client_id"):
            client = Client.objects.filter(id=client_id).first()
            if client is None:
                raise Http404("No such client")
        return cls(viewer, account, now, period, engineer, client)

    @property
    def choice(self) -> dict[str, Any]:
        """Engineer and client as query parameters, the same here and in the session list."""
        return {
            "engineer_id": self.engineer and str(self.engineer.id),
            "client_id": self.client and str(self.client.id),
        }

    @property
    def parameters(self) -> dict[str, Any]:
        return self.period.query | self.choice

    def href(self, **filters: Any) -> str:
        """The list of the sessions behind a figure: those of the page, narrowed by further filters of the list."""
        return url_with("sessions:list", self.parameters | filters)

    @cached_property
    def sessions(self) -> SessionQuerySet:
        return self._listed(self.parameters)

    @property
    def sessions_before(self) -> SessionQuerySet:
        return self.sessions_ever.during(self.period.before)

    @cached_property
    def sessions_ever(self) -> SessionQuerySet:
        return self._listed({"period": "all"} | self.choice)

    def _listed(self, parameters: dict[str, Any]) -> SessionQuerySet:
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in parameters.items() if value})
        return SessionFilterForm(query, viewer=self.viewer, account=self.account, now=self.now).sessions()


def daily(query: TeamQuery) -> list[dict[str, Any]]:
    """One row a local day of the period: day and the counts in SERIES."""
    return every_day(query.sessions.daily(*SERIES, tz=query.account.tz), query.period, *SERIES)


def top_flows(query: TeamQuery) -> list[dict[str, Any]]:
    """The ten flows with the most sessions: id, name, the figures in ROW, avg_csat and ratings."""
    return _top(query.sessions.filter(flow__isnull=False), "flow", RATINGS_OF_SESSIONS)


def top_engineers(query: TeamQuery) -> list[dict[str, Any]]:
    """The ten users with the most sessions: id, name and the figures in ROW."""
    return _top(query.sessions, "user", {})


def _top(sessions: SessionQuerySet, of: str, further: Mapping[str, Metric]) -> list[dict[str, Any]]:
    # Counted by id alone first: names and medians are dear, and only those of the rows shown are needed.
    counted = sessions.values(f"{of}_id").annotate(count=Count("pk"))
    placed = counted.annotate(place=Window(Rank(), order_by=F("count").desc()))
    shown = placed.filter(place__lte=TOP)  # more than ten where the last place is shared
    ids = [row[f"{of}_id"] for row in shown]
    figures = sessions.filter(**{f"{of}_id__in": ids}).by(f"{of}_id", *ROW)
    also = {name: metric.expression for name, metric in further.items()}
    rows = [{"id": row.pop(f"{of}_id"), **row} for row in figures.annotate(name=Max(f"{of}__name"), **also)]
    # Python orders names by code point, as COLLATE "C" does.
    return sorted(rows, key=lambda row: (-row["sessions"], row["name"], row["id"]))[:TOP]


def newest_session_at(query: TeamQuery) -> datetime | None:
    """When the newest session of this engineer and client began, up to today; None if there is none at all."""
    today = Period.of_days(1, now=query.now, tz=query.account.tz)
    rows = query.sessions_ever.filter(started_at__lt=today.end)
    newest: datetime | None = rows.aggregate(at=Max("started_at"))["at"]
    return newest
