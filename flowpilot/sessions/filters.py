"""The filters of the session list. The same form serves every figure's link, so a number and its list cannot differ."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from flowpilot.metrics import SessionQuerySet, given_up
from flowpilot.psa.models import PsaActivityLog
from flowpilot.sessions.decisions import has_decision, last_decision_at
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Outcome, Status, Tier
from resolutionflow.accounts.models import Account, User
from resolutionflow.period_form import PeriodForm
from resolutionflow.periods import Period, first_instant

NONE = "none"
MOST_VALUES = 50
LABELS = {  # of each filter, on its chip and before its message
    "on": "Counted on",
    "day": "Day",
    "completed_day": "Completed on",
    "engineer_id": "Engineer",
    "flow_id": "Flow",
    "version": "Version",
    "domain_id": "Domain",
    "client_id": "Client",
    "status": "Status",
    "outcome": "Outcome",
    "tier": "Tier",
    "ticket": "Ticket",
    "rated": "Rated",
    "rating": "Stars",
    "node_id": "Step",
    "option": "Answer",
    "dropped_at": "Given up at",
    "thumb": "Thumb",
    "pushed": "Pushed",
    "help": "Help",
    "q": "Search",
}
PUSHED = {
    "note": PsaActivityLog.ActivityType.NOTE_POSTED,
    "time_entry": PsaActivityLog.ActivityType.TIME_ENTRY_POSTED,
}


class Values(forms.Field):
    """A parameter that may be repeated: a list of values, each of them checked."""

    def __init__(
        self,
        kind: type[UUID] | type[int] | type[str] = str,
        *,
        known: Iterable[str] = (),
        none: bool = False,
    ) -> None:
        super().__init__(required=False, widget=forms.MultipleHiddenInput)
        self.kind, self.known, self.none = kind, list(known), none

    def to_python(self, value: Any) -> list[Any]:
        if value and len(value) > MOST_VALUES:
            raise forms.ValidationError(f"At most {MOST_VALUES} values can be given.")
        return [self._one(item) for item in value or [] if item != ""]

    def _one(self, item: str) -> Any:
        if self.none and item == NONE:
            return NONE
        if self.known and item not in self.known:
            names = [*self.known, NONE] if self.none else self.known
            raise forms.ValidationError(f"Unknown value. Use one of: {', '.join(names)}.")
        try:
            value = self.kind(item)
        except ValueError:
            what = {UUID: "an id", int: "a whole number"}.get(self.kind, "a text")
            raise forms.ValidationError(f"This is not {what}.") from None
        if isinstance(value, int) and not 0 <= value < 2**31:
            raise forms.ValidationError("This number is out of range.")
        return value


class Word(forms.ChoiceField):
    def __init__(self, *words: str) -> None:
        super().__init__(
            required=False,
            choices=[("", "")] + [(word, word) for word in words],
            error_messages={"invalid_choice": f"Unknown value. Use one of: {', '.join(words)}."},
        )


class SessionFilterForm(PeriodForm):
    """Reads the filters of `docs/metrics.md` out of a query string and turns them into a QuerySet.

    Bad values leave an error at their field and filter nothing; `sessions()` may be asked for either way.
    """

    extra_periods = ("all",)

    on = Word("started", "completed", "rated", "logged")
    day = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    completed_day = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    engineer_id = Values(UUID)
    flow_id = Values(UUID)
    version = Values(int)
    domain_id = Values(UUID, none=True)
    client_id = Values(UUID, none=True)
    status = Values(known=Status.values)
    outcome = Values(known=Outcome.values)
    tier = Values(known=Tier.values, none=True)
    ticket = Word("yes", "no")
    rated = Word("yes", "no")
    rating = Values(int, known="12345")
    # compared with what was written down, blanks included
    node_id = forms.CharField(required=False, max_length=100, strip=False)
    option = forms.CharField(required=False, max_length=500, strip=False)
    dropped_at = forms.CharField(required=False, max_length=100, strip=False)
    thumb = Word("up", "down")
    pushed = Values(known=PUSHED)
    help = Word("wanted")
    q = forms.CharField(required=False, max_length=200)

    def __init__(
        self, data: QueryDict | dict[str, Any], *, viewer: User, account: Account, now: datetime
    ) -> None:
        super().__init__(data, now=now, tz=account.tz)
        self.viewer, self.account = viewer, account
        for name, label in LABELS.items():
            self.fields[name].label = label
        for name in ("day", "completed_day"):
            self.fields[name].error_messages["invalid"] = "Give the day as YYYY-MM-DD."

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("thumb") and not data.get("node_id"):
            self.add_error("thumb", "A thumb needs the step: give node_id too.")
        for name in ("day", "completed_day"):
            if data.get(name) and not 1970 <= data[name].year <= 9000:
                self.add_error(name, "This day is out of range.")
        return data

    @property
    def whole_time(self) -> bool:
        """Whether no period narrows the list: asked for by `period=all`, or a day or help is given without one."""
        if self.period_is_bad:
            return False
        data = self.cleaned_data
        if data.get("period") or data.get("from"):
            return data.get("period") == "all"
        return bool(data.get("day") or data.get("completed_day") or data.get("help"))

    def sessions(self) -> SessionQuerySet:
        """What the viewer may see of what was asked for, in no order."""
        rows = self.everybodys()
        if self.cleaned_data.get("help") != "wanted" and not self.viewer.leads_team:
            rows = rows.filter(user=self.viewer)
        return rows

    def everybodys(self) -> SessionQuerySet:
        """What was asked for, whoever's it is, in no order: for figures that name nobody, never for a list."""
        self.is_valid()
        data = self.cleaned_data
        rows: SessionQuerySet = Session.objects.all()
        if data.get("help") == "wanted":
            rows = rows.filter(status=Status.REQUESTING_ESCALATION)
        on = data.get("on") or "started"
        if not self.whole_time:
            rows = rows.filter(_at(on, self.chosen_period()))
        if day := data.get("day"):
            rows = rows.filter(_at(on, Period(day, day, self.tz, self.now)))
        if day := data.get("completed_day"):
            rows = rows.filter(
                completed_at__gte=first_instant(day, self.tz), completed_at__lt=self._end_of(day)
            )
        return rows.filter(self._values(), self._words())

    def _end_of(self, day: date) -> datetime:
        return first_instant(day + timedelta(days=1), self.tz)

    def _values(self) -> Q:
        data, condition = self.cleaned_data, Q()
        columns = {
            "engineer_id": "user_id",
            "flow_id": "flow_id",
            "version": "flow_version__number",
            "domain_id": "domain_id",
            "client_id": "client_id",
            "status": "status",
            "outcome": "outcome",
            "tier": "confidence_tier",
        }
        for name, column in columns.items():
            values = data.get(name) or []
            if values:
                one_of = Q(**{f"{column}__in": [value for value in values if value != NONE]})
                condition &= one_of | Q(**{f"{column}__isnull": True}) if NONE in values else one_of
        return condition

    def _words(self) -> Q:
        data, condition = self.cleaned_data, Q()
        if data.get("ticket"):
            condition &= Q(psa_ticket_id__isnull=data["ticket"] == "no")
        if data.get("rated"):
            condition &= Q(rating__isnull=data["rated"] == "no")
        if data.get("rating"):  # stars are shown to their giver only
            condition &= Q(user=self.viewer, rating__rating__in=data["rating"])
        node_id, option = data.get("node_id") or None, data.get("option") or None
        if node_id and data.get("thumb"):
            condition &= _thumb(node_id, data["thumb"])
        if option or (node_id and not data.get("thumb")):
            condition &= has_decision(node_id=node_id, answer=option)
        if data.get("dropped_at"):
            condition &= given_up(self.now - self.account.idle_limit) & last_decision_at(data["dropped_at"])
        if data.get("pushed"):
            activity = PsaActivityLog.objects.filter(session=OuterRef("pk"), account=OuterRef("account"))
            types = [PUSHED[push] for push in data["pushed"]]
            condition &= Q(Exists(activity.filter(activity_type__in=types)))
        if words := data.get("q"):
            condition &= (
                Q(problem_summary__icontains=words)
                | Q(psa_ticket_id__iexact=words)
                | Q(external_id__iexact=words)
            )
        return condition


def _at(on: str, period: Period) -> Q:
    """The sessions to which the named thing happened in the period."""
    if on == "logged":
        entries = PsaActivityLog.objects.filter(
            session=OuterRef("pk"),
            account=OuterRef("account"),
            activity_type=PsaActivityLog.ActivityType.TIME_ENTRY_POSTED,
            created_at__gte=period.start,
            created_at__lt=period.end,
        )
        return Q(Exists(entries))
    column = {"started": "started_at", "completed": "completed_at", "rated": "rating__created_at"}[on]
    return Q(**{f"{column}__gte": period.start, f"{column}__lt": period.end})


def _thumb(node_id: str, thumb: str) -> Q:
    rated = Session.objects.filter(
        step_ratings__was_helpful=thumb == "up",
        step_ratings__step__node_id=node_id,
        step_ratings__step__flow=OuterRef("flow"),
    ).filter(pk=OuterRef("pk"), account=OuterRef("account"))
    return Q(Exists(rated))
