"""Where knowledge is missing: each gap a fact with its evidence, a severity and one action.

The unit is the session: who took an option or visited a step twice counts once; of thumbs each counts. Open sessions
count nowhere; only `drop_off` also knows the active ones that lie idle.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper
from django.urls import reverse

from analytics.flowpilot.filters import ENDED
from analytics.query import DashboardQuery
from flowpilot.metrics import given_up
from flowpilot.sessions.decisions import LAST_NODE, TAKEN_BACK, TAKEN_OVER
from flowpilot.sessions.states import OPEN, Status
from resolutionflow.links import url_with
from resolutionflow.metrics import wilson

Severity = Literal["high", "medium", "low"]

ENOUGH = 5  # sessions, of `unhelpful_step` thumbs
ENOUGH_BEHIND_PROPOSAL = 3
UNUSED = timedelta(days=30)
HIGH, MEDIUM = 20, 8  # sessions from which on a gap is that severe
ESCALATES, ENDS_BADLY, HELPS, LEAVES = 0.25, 0.50, 0.50, 0.20
BAD_ENDS = (Status.ESCALATED, Status.UNRESOLVED, Status.ABANDONED)


def _words(values: tuple[Status, ...]) -> str:
    return ", ".join(f"'{value.value}'" for value in values)


LAST_NODE_OF_DECISIONS = LAST_NODE.replace("%(expressions)s", "decisions")
# Times are read of those who left only. Node and answer are compared byte by byte, a fraction of what a language's
# order takes. Counts only; what they mean is judged in Python. Each row: kind, domain, flow, node, answer, n, part,
# proposal.
COUNTS = f"""
with chosen as materialized (
    select id, flow_id, domain_id, status, given_up, status not in ({_words(OPEN)}) as closed from ({{chosen}}) asked
), taken as materialized (
    select distinct id, flow_id, closed, status in ({_words(BAD_ENDS)}) as ends_badly,
           (decision ->> 'node_id') collate "C" as node_id, (decision ->> 'answer') collate "C" as answer,
           decision ->> 'node_id' is not distinct from left_at as left_here
      from (
          select id, flow_id, status, decisions, status not in ({_words(OPEN)}) as closed,
                 case when given_up then {LAST_NODE_OF_DECISIONS} end as left_at
            from ({{chosen}}) asked
           where flow_id is not null and (given_up or status not in ({_words(OPEN)}))
          offset 0
      ) walked, jsonb_array_elements(decisions) listed (decision)
     where decision ->> 'node_id' <> '' and not ({TAKEN_BACK}) and not ({TAKEN_OVER})
), found as (
    select 'uncovered_domain' as kind, domain_id, null::uuid as flow_id, null as node_id, null as answer,
           count(*) as n, count(*) as part, null::uuid as proposal_id
      from chosen
     where closed and domain_id is not null and not exists (
               select from flowpilot_flow flow
                where flow.account_id = %(account)s and flow.domain_id = chosen.domain_id and flow.status = 'published')
     group by domain_id
    having count(*) >= {ENOUGH}
 union all
    select 'high_escalation', domain_id, flow_id, null, null,
           count(*), count(*) filter (where status = '{Status.ESCALATED.value}'), null
      from chosen
     where closed
     group by grouping sets ((domain_id), (flow_id))
    having count(*) filter (where status = '{Status.ESCALATED.value}') > 0
 union all
    select 'weak_option', null, flow_id, node_id, answer,
           count(*), count(*) filter (where ends_badly), null
      from taken
     where closed and answer <> ''
     group by flow_id, node_id, answer
    having count(*) >= {ENOUGH}
 union all
    select 'drop_off', null, flow_id, node_id, null,
           count(distinct id), count(distinct id) filter (where left_here), null
      from taken
     group by flow_id, node_id
    having count(distinct id) >= {ENOUGH} and bool_or(left_here)
 union all
    select 'unhelpful_step', null, step.flow_id, step.node_id, null,
           count(*), count(*) filter (where thumb.was_helpful), null
      from ratings_steprating thumb
      join flowpilot_step step on step.account_id = %(account)s and step.id = thumb.step_id
     where thumb.account_id = %(account)s and thumb.session_id in (select id from chosen where closed)
     group by step.flow_id, step.node_id
    having count(*) >= {ENOUGH}
 union all
    select 'stale_flow', flow.domain_id, flow.id, null, null, meanwhile.n, 0, null
      from flowpilot_flow flow,
           lateral (select count(*) from flowpilot_session session
                     where session.account_id = %(account)s and session.domain_id = flow.domain_id
                       and session.started_at >= %(unused_since)s and session.status not in ({_words(OPEN)})
                   ) meanwhile (n)
     where flow.account_id = %(account)s and flow.status = 'published' and meanwhile.n > 0
       and %(unused_since)s >= (select min(published_at) from flowpilot_flowversion version
                                 where version.account_id = %(account)s and version.flow_id = flow.id)
       and not exists (select from flowpilot_session session
                        where session.account_id = %(account)s and session.flow_id = flow.id
                          and session.started_at >= %(unused_since)s)
 union all
    select 'repeated_discovery', proposal.domain_id, null, null, null,
           count(distinct chosen.id), count(distinct chosen.id), proposal.id
      from flowpilot_flowproposal proposal
     cross join jsonb_array_elements_text(
               case jsonb_typeof(proposal.evidence -> 'sessions') when 'array' then proposal.evidence -> 'sessions' end
           ) behind (session_id)
      join chosen on chosen.closed and chosen.id::text = behind.session_id
     where proposal.account_id = %(account)s and proposal.status = 'pending' and proposal.kind = 'new_flow'
     group by proposal.id, proposal.domain_id
    having count(distinct chosen.id) >= {ENOUGH_BEHIND_PROPOSAL}
)
select found.kind, coalesce(found.domain_id, flow.domain_id), domain.name, found.flow_id, flow.name, found.node_id,
       step.title, found.answer, found.n, found.part, found.proposal_id, proposal.title, found.domain_id is not null
  from found
  left join flowpilot_flow flow on flow.account_id = %(account)s and flow.id = found.flow_id
  left join flowpilot_domain domain
    on domain.account_id = %(account)s and domain.id = coalesce(found.domain_id, flow.domain_id)
  left join flowpilot_step step
    on step.account_id = %(account)s and step.flow_id = found.flow_id and step.node_id = found.node_id collate "C"
  left join flowpilot_flowproposal proposal
    on proposal.account_id = %(account)s and proposal.id = found.proposal_id
"""  # noqa: S608 - pieces of this module and of decisions


@dataclass(frozen=True)
class Gap:
    """`rate` is part / n with its Wilson interval; all three are None where the gap is no rate. `href` opens the
    sessions behind it, `opens` of them; "" where no list shows just those."""

    kind: str
    title: str
    domain: str | None
    flow_id: UUID | None
    node_id: str | None
    option: str | None
    proposal_id: UUID | None
    n: int
    part: int
    rate: Decimal | None
    lower: float | None
    upper: float | None
    action: str
    url: str
    href: str
    opens: int

    @property
    def severity(self) -> Severity:
        return "high" if self.n >= HIGH else "medium" if self.n >= MEDIUM else "low"


@dataclass(frozen=True)
class _Row:
    kind: str
    domain_id: UUID | None
    domain: str | None
    flow_id: UUID | None
    flow: str | None
    node_id: str | None
    step: str | None
    answer: str | None
    n: int
    part: int
    proposal_id: UUID | None
    proposal: str | None
    of_domain: bool

    @property
    def step_name(self) -> str:
        return self.step or str(self.node_id)


def gaps(query: DashboardQuery) -> list[Gap]:
    """Every gap, the most severe first, then by sessions. One query."""
    found = [gap for row in _rows(query) if (gap := _judged(row, query))]
    rank = {"high": 0, "medium": 1, "low": 2}
    return sorted(found, key=lambda gap: (rank[gap.severity], -gap.n, gap.kind, gap.title))


def _rows(query: DashboardQuery) -> Iterator[_Row]:
    dropped = ExpressionWrapper(given_up(query.now - query.account.idle_limit), output_field=BooleanField())
    rows = query.sessions.order_by().annotate(given_up=dropped)
    names = ("id", "flow_id", "domain_id", "status", "given_up", "decisions")
    chosen, parameters = rows.values(*names).query.sql_with_params()
    own = {"account": query.account.id, "unused_since": query.now - UNUSED}
    values: list[Any] = []

    def filled(place: re.Match[str]) -> str:
        """The sessions come with parameters by position, so all of them do."""
        values.extend(parameters if place[0] == "{chosen}" else [own[place[1]]])
        return chosen if place[0] == "{chosen}" else "%s"

    statement = re.sub(r"%\((\w+)\)s|\{chosen\}", filled, COUNTS)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        yield from (_Row(*row) for row in cursor.fetchall())


def _judged(row: _Row, query: DashboardQuery) -> Gap | None:
    """The gap that the counts amount to, if they do."""
    return JUDGES[row.kind](row, query)


def _uncovered_domain(row: _Row, query: DashboardQuery) -> Gap:
    return _fact(
        row,
        f"{row.domain} has no published flow",
        ("Create a flow", url_with("flows:new", {"domain_id": str(row.domain_id)})),
        query.href(domain_id=str(row.domain_id), **ENDED),
    )


def _stale_flow(row: _Row, query: DashboardQuery) -> Gap:
    title = f"“{row.flow}” has not been used for {UNUSED.days} days"
    return _fact(row, title, ("Review it", reverse("flows:detail", args=[row.flow_id])))


def _repeated_discovery(row: _Row, query: DashboardQuery) -> Gap:
    title = f"Solved again and again without a flow: {row.proposal}"
    return _fact(row, title, ("See the proposal", reverse("proposals:detail", args=[row.proposal_id])))


def _high_escalation(row: _Row, query: DashboardQuery) -> Gap | None:
    subject: dict[str, str]
    if row.of_domain:
        name, subject = str(row.domain), {"domain_id": str(row.domain_id)}
        action = ("Open its sessions", query.href(**subject))
    elif row.flow_id:
        name, subject = f"“{row.flow}”", {"flow_id": str(row.flow_id)}
        action = ("Open the flow", reverse("analytics:flow", args=[row.flow_id]))
    else:  # the group of the sessions without a domain, or without a flow
        return None
    opens = query.href(**subject, status=Status.ESCALATED.value)
    return _rate(row, f"{name} is escalated often", action, opens, above=ESCALATES)


def _weak_option(row: _Row, query: DashboardQuery) -> Gap | None:
    title = f"“{row.answer}” at “{row.step_name}” in “{row.flow}” mostly ends badly"
    opens = query.href(**_at_step(row), option=row.answer, status=[status.value for status in BAD_ENDS])
    return _rate(row, title, _edit_step(row), opens, above=ENDS_BADLY)


def _unhelpful_step(row: _Row, query: DashboardQuery) -> Gap | None:
    title = f"“{row.step_name}” in “{row.flow}” does not help"
    opens = query.href(**_at_step(row), thumb="down", **ENDED)
    gap = _rate(row, title, _edit_step(row), opens, below=HELPS)
    return gap and replace(gap, opens=row.n - row.part)  # those with a thumb down; part are the thumbs up


def _drop_off(row: _Row, query: DashboardQuery) -> Gap | None:
    title = f"Many leave “{row.flow}” at “{row.step_name}”"
    opens = query.href(flow_id=str(row.flow_id), dropped_at=row.node_id)
    return _rate(row, title, _edit_step(row), opens, above=LEAVES)


JUDGES: Mapping[str, Callable[[_Row, DashboardQuery], Gap | None]] = {
    "uncovered_domain": _uncovered_domain,
    "high_escalation": _high_escalation,
    "weak_option": _weak_option,
    "unhelpful_step": _unhelpful_step,
    "drop_off": _drop_off,
    "stale_flow": _stale_flow,
    "repeated_discovery": _repeated_discovery,
}


def _at_step(row: _Row) -> dict[str, Any]:
    return {"flow_id": str(row.flow_id), "node_id": row.node_id}


def _edit_step(row: _Row) -> tuple[str, str]:
    return "Edit that step", url_with("flows:edit", {"step": row.node_id}, row.flow_id)


def _rate(
    row: _Row,
    title: str,
    action: tuple[str, str],
    href: str,
    *,
    above: float | None = None,
    below: float | None = None,
) -> Gap | None:
    """A gap if the whole interval of the rate lies above or below the bound."""
    lower, upper = wilson(row.part, row.n)
    if (above is not None and lower <= above) or (below is not None and upper >= below):
        return None
    gap = _fact(row, title, action, href)
    return replace(gap, rate=Decimal(row.part) / row.n, lower=lower, upper=upper, opens=row.part)


def _fact(row: _Row, title: str, action: tuple[str, str], href: str = "") -> Gap:
    return Gap(
        kind=row.kind,
        title=title,
        domain=row.domain,
        flow_id=row.flow_id,
        node_id=row.node_id,
        option=row.answer,
        proposal_id=row.proposal_id,
        n=row.n,
        part=row.part,
        rate=None,
        lower=None,
        upper=None,
        action=action[0],
        url=action[1],
        href=href,
        opens=row.n,
    )
