"""What a dashboard is asked: the filters of its query string, and the sessions that they leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property, partial
from typing import Any

from django import forms
from django.http import Http404, QueryDict

from flowpilot.clients.choices import client_choices
from flowpilot.flows.choices import version_choices
from flowpilot.metrics import SessionQuerySet
from flowpilot.models import Client, Flow, FlowVersion, Session
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.sessions.steps import Walks, walks
from ratings.metrics import Thumbs, thumbs
from resolutionflow.accounts.choices import engineer_choices
from resolutionflow.accounts.models import Account, User
from resolutionflow.links import url_with
from resolutionflow.long_select import LongSelect
from resolutionflow.period_form import PeriodForm
from resolutionflow.periods import Period


class DashboardForm(PeriodForm):
    """The filters of every dashboard. The choices are asked for once, and only where the form is shown."""

    without_client = "All clients"

    client_id = forms.UUIDField(
        required=False,
        label="Client",
        widget=LongSelect(),
        error_messages={"invalid": "This is not the id of a client."},
    )

    def __init__(self, data: QueryDict | dict[str, Any], *, account: Account, now: datetime) -> None:
        super().__init__(data, now=now, tz=account.tz)
        fields: dict[str, Any] = self.fields
        fields["client_id"].widget.choices = cache(partial(client_choices, self.without_client))


class TeamForm(DashboardForm):
    """The filters of team analytics."""

    engineer_id = forms.UUIDField(
        required=False,
        label="Engineer",
        widget=LongSelect(),
        error_messages={"invalid": "This is not the id of an engineer."},
    )

    def __init__(self, data: QueryDict | dict[str, Any], *, account: Account, now: datetime) -> None:
        super().__init__(data, account=account, now=now)
        fields: dict[str, Any] = self.fields
        fields["engineer_id"].widget.choices = cache(partial(engineer_choices, account))


class FlowForm(DashboardForm):
    """The filters of a flow's analytics."""

    version = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        label="Version",
        widget=LongSelect(),
        error_messages={"invalid": "This is not the number of a version."},
    )

    def __init__(
        self, data: QueryDict | dict[str, Any], *, account: Account, now: datetime, flow: Flow
    ) -> None:
        super().__init__(data, account=account, now=now)
        fields: dict[str, Any] = self.fields
        fields["version"].widget.choices = cache(partial(version_choices, flow))


class FlowQualityForm(DashboardForm):
    """The filters of Flow Quality: what its table is sorted by, and whether upwards."""

    sort = forms.ChoiceField(
        required=False,
        label="Sort by",
        widget=forms.HiddenInput,
        choices=[
            (name, name) for name in ("quality", "usage", "success_rate", "name", "last_used", "confidence")
        ],
        error_messages={"invalid_choice": "The table cannot be sorted by this."},
    )
    order = forms.ChoiceField(
        required=False,
        label="Order",
        widget=forms.HiddenInput,
        choices=[("up", "up"), ("down", "down")],
        error_messages={"invalid_choice": "Order is “up” or “down”."},
    )


@dataclass(frozen=True)
class DashboardQuery:
    """The sessions that a dashboard is about, and the links to them.

    `url_name` is that of its page. `own`: only the viewer's sessions, whoever's the viewer may see; `engineer` is the
    viewer then, and no choice of the page. `flow`: all sessions of this flow, whoever's they are, or those of one
    `version` of it. An engineer is told these figures, but cannot open what is behind them. `tab`: which tab of the
    page; `sort` and `order`: those of its table, "" where nothing was chosen.
    """

    url_name: str
    viewer: User
    account: Account
    now: datetime
    period: Period
    engineer: User | None = None
    client: Client | None = None
    own: bool = False
    flow: Flow | None = None
    version: FlowVersion | None = None
    tab: str = ""
    sort: str = ""
    order: str = ""

    @classmethod
    def read(
        cls,
        form: DashboardForm,
        *,
        url_name: str,
        viewer: User,
        account: Account,
        now: datetime,
        own: bool = False,
        flow: Flow | None = None,
        tab: str = "",
    ) -> "DashboardQuery":
        """Raises Http404 for an engineer or a client that the account does not have, and for a version that the flow
        does not have; other faults stay in the form."""
        period = form.chosen_period()
        engineer, client, version = viewer if own else None, None, None
        if engineer_id := form.cleaned_data.get("engineer_id"):
            engineer = User.objects.filter(account=account, id=engineer_id).first()
            if engineer is None:
                raise Http404("No such engineer")
        if client_id := form.cleaned_data.get("client_id"):
            client = Client.objects.filter(id=client_id).first()
            if client is None:
                raise Http404("No such client")
        if flow and (number := form.cleaned_data.get("version")):
            version = FlowVersion.objects.filter(flow=flow, number=number).first()
            if version is None:
                raise Http404("No such version")
        sorting = {name: form.cleaned_data.get(name) or "" for name in ("sort", "order")}
        return cls(
            url_name, viewer, account, now, period, engineer, client, own, flow, version, tab, **sorting
        )

    @property
    def choice(self) -> dict[str, Any]:
        """What was chosen beside the period, as query parameters of the page."""
        return {
            "engineer_id": str(self.engineer.id) if self.engineer and not self.own else None,
            "client_id": self.client and str(self.client.id),
            "version": self.version and self.version.number,
        }

    @property
    def parameters(self) -> dict[str, Any]:
        """The query parameters with which the page shows this."""
        return self.period.query | self.choice | {"sort": self.sort, "order": self.order}

    @property
    def narrowing(self) -> dict[str, Any]:
        """What narrows the sessions beside the period, as filters of the session list. An engineer's own list needs
        no name; who leads the team sees everybody's there."""
        if self.own and self.viewer.leads_team:
            return self.choice | {"engineer_id": str(self.viewer.id)}
        return self.choice | {"flow_id": self.flow and str(self.flow.id)}

    def page(self, **parameters: Any) -> str:
        """The dashboard itself with these parameters."""
        return self.below("", parameters)

    def below(self, suffix: str, parameters: Mapping[str, Any], *args: str) -> str:
        """An address of the dashboard: the route "<url_name><suffix>" with these parameters. A tab is a parameter of
        the page, and part of the address of what lies below it."""
        if self.tab and not suffix:
            return url_with(self.url_name, {"tab": self.tab} | dict(parameters))
        of = [self.flow.id] if self.flow else [self.tab] if self.tab else []
        return url_with(f"{self.url_name}{suffix}", parameters, *of, *args)

    @property
    def opens(self) -> bool:
        """Whether the viewer may open the sessions behind the figures."""
        return self.flow is None or self.viewer.leads_team

    def href(self, **filters: Any) -> str:
        """The list of the sessions behind a figure: those of the page, narrowed by further filters of the list. ""
        where the viewer may not open them."""
        if not self.opens:
            return ""
        return url_with("sessions:list", self.period.query | self.narrowing | filters)

    @cached_property
    def sessions(self) -> SessionQuerySet:
        return self._listed(self.period.query | self.narrowing)

    @property
    def sessions_before(self) -> SessionQuerySet:
        return self.sessions_ever.during(self.period.before)

    @property
    def everybodys(self) -> SessionQuerySet:
        """The sessions of the whole account in the period, of the client if one is chosen. May be more than the
        viewer may see: only for figures that give nobody away."""
        rows: SessionQuerySet = Session.objects.during(self.period)
        return rows.filter(client_id=self.client.id) if self.client else rows

    @cached_property
    def sessions_ever(self) -> SessionQuerySet:
        return self._listed({"period": "all"} | self.narrowing)

    @cached_property
    def rated(self) -> SessionQuerySet:
        """The sessions that were rated in the period, whenever they began."""
        return self._listed(self.period.query | self.narrowing | {"on": "rated"})

    @cached_property
    def walks(self) -> Walks:
        """What the decisions of these sessions, which are all of one flow, say of its steps. Asked for once by all
        panels of a page."""
        assert self.flow  # noqa: S101 - only the dashboard of a flow asks
        return walks(self.sessions, self.flow, now=self.now, idle_limit=self.account.idle_limit)

    @cached_property
    def thumbs(self) -> Mapping[str, Thumbs]:
        """Those given in these sessions, by step."""
        return thumbs(self.sessions)

    @property
    def shown_version(self) -> FlowVersion | None:
        """Whose tree is drawn: that which was chosen, else the flow's current one."""
        return self.version or (self.flow.current_version if self.flow else None)

    @cached_property
    def of_all_versions(self) -> SessionQuerySet:
        return self._listed(self.period.query | self.narrowing | {"version": None})

    def _listed(self, parameters: dict[str, Any]) -> SessionQuerySet:
        query = QueryDict(mutable=True)
        query.update({name: str(value) for name, value in parameters.items() if value})
        form = SessionFilterForm(query, viewer=self.viewer, account=self.account, now=self.now)
        return form.everybodys() if self.flow else form.sessions()
