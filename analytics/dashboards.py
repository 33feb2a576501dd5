"""The dashboards: which panels each has, who it is about, and how its page and its panels are answered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase

from analytics import panels
from analytics.exports.answers import refused, sent
from analytics.flowpilot import panels as flowpilot_panels
from analytics.flows import panels as flow_panels
from analytics.panels import Panel, Together
from analytics.query import DashboardForm, DashboardQuery, FlowForm, FlowQualityForm, TeamForm
from flowpilot.flows.head import flow_head
from flowpilot.models import Flow
from resolutionflow.accounts.models import User
from resolutionflow.accounts.names import shown_names
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.exports import FORMATS
from resolutionflow.htmx import page_or_panel, wants_panel
from resolutionflow.links import url_with


@dataclass(frozen=True)
class Dashboard:
    """Its page is the route "analytics:<name>", each of its panels also one of "analytics:<name>-panel", and so are
    its sections that come together; the rows of a panel that has an export one of "analytics:<name>-export".

    `allowed` must agree with its views. `own`: about the viewer's sessions alone. `flow`: about this one, whose id its
    routes begin with (`about`). `printed_for_clients`: leads to the sheet of one client (sheet.py).
    `value`: that of the parameter `tab`, where several dashboards share one address; what lies below it has the value
    in its address.
    """

    name: str
    tab: str
    form_class: type[DashboardForm]
    sections: tuple[Panel | Together, ...]
    allowed: Callable[[User], bool]
    own: bool = False
    flow: Flow | None = None
    printed_for_clients: bool = False
    value: str = ""
    part: str = "Analytics"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Each by itself, also where some come together."""
        return tuple(panel for section in self.sections for panel in section.panels)

    @property
    def url_name(self) -> str:
        return f"analytics:{self.name}"

    def about(self, flow_id: UUID) -> "Dashboard":
        """The same dashboard of this flow. Raises Http404 for one that the account does not have."""
        flow = Flow.objects.select_related("current_version", "domain").filter(id=flow_id).first()
        if flow is None:
            raise Http404("No such flow")
        return replace(self, flow=flow)

    def form(self, request: AccountRequest) -> DashboardForm:
        more = {"flow": self.flow} if self.flow else {}
        return self.form_class(request.GET, account=request.account, now=request.now, **more)

    def query(self, request: AccountRequest, form: DashboardForm) -> DashboardQuery:
        """What the form asks for, over the default period where it has faults; an unknown client or engineer is a
        404."""
        return DashboardQuery.read(
            form,
            url_name=self.url_name,
            viewer=request.user,
            account=request.account,
            now=request.now,
            own=self.own,
            flow=self.flow,
            tab=self.value,
        )

    def page(self, request: AccountRequest) -> HttpResponse:
        """A swap brings the frame at once and lets each section load by itself; a page brings them, but for those that
        come together, and with `panels=all` these as well. A table in another order comes whole: its heading keeps the
        focus only if it is there again."""
        form = self.form(request)
        query = self.query(request, form)
        lazy, whole = wants_panel(request) and not query.sort, request.GET.get("panels") == "all"
        context: dict[str, Any] = {
            "title": f"{self.tab} · {self.part}" if self.value else f"{self._subject} analytics",
            "part": self.part,
            "tab": self.tab,
            "swapped": wants_panel(request),
            "tabs": self._tabs(query),
            "head": flow_head(self.flow, request.user, "analytics") if self.flow else None,
            "query": query,
            "form": form,
            "engineer_name": shown_names(request.account)[query.engineer.id]
            if query.engineer and not query.own
            else "",
            "sheet_href": url_with(
                "analytics:sheet", query.period.query | {"client_id": query.choice["client_id"]}
            )
            if self.printed_for_clients
            else "",
            "where": f"{request.account.name} · {request.account.time_zone}",
            "sections": [
                (
                    section,
                    query.below("-panel", query.parameters, section.name),
                    "" if lazy or (isinstance(section, Together) and not whole) else section.html(query),
                )
                for section in self.sections
            ],
            "whole_href": query.page(**query.parameters, panels="all"),
        }
        return page_or_panel(request, "analytics/page.html", "analytics/_page.html", context)

    def panel(self, request: AccountRequest, name: str) -> HttpResponse:
        """One panel, or those that come together, for htmx and for "Try again"."""
        section = _named(name, (*self.sections, *self.panels))
        return HttpResponse(section.html(self.query(request, self.form(request))))

    def export(self, request: AccountRequest, name: str, format: str) -> HttpResponseBase:
        """The rows of one panel as a file; faulty filters are refused, for a file says nothing of them."""
        panel = _named(name, self.panels)
        if panel.export is None or format not in FORMATS:
            raise Http404("No such export")
        form = self.form(request)
        if not form.is_valid():
            return refused(request, form, self.query(request, form).page())
        return sent(request, form, panel.export.table(name, self.query(request, form)), format)

    @property
    def _subject(self) -> str:
        return self.flow.name if self.flow else self.tab

    def _tabs(self, query: DashboardQuery) -> list[tuple[str, str, bool]]:
        """Of each dashboard that the viewer may open its name, its address with the same period and client, and
        whether it is this one."""
        kept = query.period.query | {"client_id": query.choice["client_id"]}
        beside = FLOWPILOT if self.value else TABS
        return [
            (tab.tab, url_with(tab.url_name, {"tab": tab.value} | kept), tab is self)
            for tab in beside
            if tab.allowed(query.viewer)
        ]


Section = TypeVar("Section", bound=Panel | Together)


def _named(name: str, sections: Iterable[Section]) -> Section:
    """Raises Http404 where none has the name."""
    found = next((section for section in sections if section.name == name), None)
    if found is None:
        raise Http404("No such panel")
    return found


TEAM = Dashboard(
    "team",
    "Team",
    TeamForm,
    (panels.SUMMARY, panels.OUTCOMES, panels.FLOWS, panels.ENGINEERS),
    allowed=lambda user: user.leads_team,
    printed_for_clients=True,
)
MY = Dashboard(
    "me",
    "My",
    DashboardForm,
    (panels.MY_SUMMARY, panels.DAYS, panels.SHARES, panels.FLOWS),
    allowed=lambda user: user.works_sessions,
    own=True,
)
FLOW = Dashboard("flow", "Flow", FlowForm, flow_panels.ALL, allowed=lambda user: True)
TABS = (TEAM, MY)


def _flowpilot(
    tab: str,
    value: str,
    shown: tuple[Panel | Together, ...],
    form: type[DashboardForm] = DashboardForm,
) -> Dashboard:
    return Dashboard(
        "flowpilot",
        tab,
        form,
        shown,
        allowed=lambda user: user.leads_team,
        value=value,
        part="FlowPilot",
    )


FLOWPILOT = (
    _flowpilot("Overview", "overview", flowpilot_panels.OVERVIEW),
    _flowpilot("Coverage", "coverage", flowpilot_panels.COVERAGE),
    _flowpilot("Flow quality", "flow-quality", flowpilot_panels.FLOW_QUALITY, FlowQualityForm),
    _flowpilot("PSA", "psa", flowpilot_panels.PSA),
)


def flowpilot_tab(value: str) -> Dashboard:
    """The tab of this value, the first one for "". Raises Http404 for any other."""
    found = next((tab for tab in FLOWPILOT if tab.value == (value or FLOWPILOT[0].value)), None)
    if found is None:
        raise Http404("No such tab")
    return found
