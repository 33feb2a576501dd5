"""The figures over steps and their options: what the decisions of many sessions say. docs/metrics.md defines each.

The decisions are JSON, so every figure needs them unnested: that is done once, for all steps and options together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper

from flowpilot.flows.models import Flow
from flowpilot.metrics import SessionQuerySet, given_up
from flowpilot.sessions.decisions import MOMENT, OLDEST_FIRST, TAKEN_BACK, TAKEN_OVER
from flowpilot.sessions.states import Outcome

MOST_OPTIONS = 2000  # those that most sessions took: imported answers may be free text


@dataclass(frozen=True)
class StepFigures:
    """What the decisions at one node say. `visits` counts decisions, `sessions` the sessions that they are of.

    `median_seconds`: from the decision before, of the first one from the session's start, to this; `timed` says over
    how many, None over none. `title` is that of the flow's Step, else the newest decision's.
    """

    node_id: str
    title: str
    visits: int
    sessions: int
    dropped: int
    taken_back: int
    timed: int
    median_seconds: float | None


@dataclass(frozen=True)
class OptionFigures:
    """The sessions that took one answer at a node, and their outcomes; `visits` is how often it was given."""

    node_id: str
    answer: str
    visits: int
    sessions: int
    outcomes: Mapping[Outcome, int]

    @property
    def without_outcome(self) -> int:
        return self.sessions - sum(self.outcomes.values())


@dataclass(frozen=True)
class Walks:
    """`steps` by node_id, `options` by node_id and answer; in no order."""

    steps: Mapping[str, StepFigures]
    options: Mapping[tuple[str, str], OptionFigures]


TITLE = f"""coalesce(nullif(step.title, ''), (
           select decision ->> 'title'
             from (select decision, {MOMENT}, position
                     from chosen, jsonb_array_elements(decisions) with ordinality listed (decision, position)
                    where decision ->> 'node_id' = steps.node_id and not ({TAKEN_OVER})) met (decision, at, position)
            order by at desc nulls last, position desc
            limit 1
       ), '')"""  # noqa: S608 - pieces of this module and of the one beside it
# Each column of the answer: what it is in the row of a step, and in that of an option.
COLUMNS = {
    "node_id": ("steps.node_id", "node_id"),
    "answer": ("null", "answer"),
    "visits": ("visits", "visits"),
    "sessions": ("sessions", "sessions"),
    "dropped": ("dropped", "null"),
    "taken_back": ("taken_back", "null"),
    "timed": ("timed", "null"),
    "median_seconds": ("median_seconds", "null"),
    "title": (TITLE, "null"),
    **{outcome.value: ("null", outcome.value) for outcome in Outcome},
}
OF_STEP, OF_OPTION = (", ".join(column) for column in zip(*COLUMNS.values(), strict=True))

# A decision that was taken over is left out at once. One that was taken back has a path of its own: no time is reckoned
# from it or to it. Paths are put in order a session at a time: thousands of small sorts are quicker than one of all.
WALKS = f"""
with chosen as not materialized (
    select row_number() over () as place, started_at, outcome, decisions, given_up from ({{chosen}}) asked
), taken as materialized (
    select place, outcome, node_id, answer, taken_back, given_up and is_last and not taken_back as dropped,
           case when not taken_back then extract(epoch from at - before)::float8 end as took
      from chosen,
           lateral (
               select node_id, answer, taken_back, at, lead(position) over path is null as is_last,
                      case when row_number() over path = 1 then started_at else lag(at) over path end as before
                 from (select decision ->> 'node_id', coalesce(decision ->> 'answer', ''), {TAKEN_BACK}, {MOMENT},
                              position
                         from jsonb_array_elements(decisions) with ordinality listed (decision, position)
                        where not ({TAKEN_OVER})) own (node_id, answer, taken_back, at, position)
               window path as (partition by taken_back order by {OLDEST_FIRST})
           ) walked
     where node_id <> ''
), steps as (
    select node_id,
           count(*) filter (where not taken_back) as visits,
           count(distinct place) filter (where not taken_back) as sessions,
           count(*) filter (where dropped) as dropped,
           count(*) filter (where taken_back) as taken_back,
           count(*) filter (where took between 0 and %s) as timed,
           percentile_cont(0.5) within group (order by took) filter (where took between 0 and %s) as median_seconds
      from taken
     group by node_id
), answered as (
    select place, outcome, node_id, answer, count(*) as visits
      from taken
     where not taken_back
     group by place, outcome, node_id, answer
), options as (
    select node_id, answer, sum(visits)::bigint as visits, count(*) as sessions,
           {", ".join(f"count(*) filter (where outcome = '{outcome.value}') as {outcome.value}" for outcome in Outcome)}
      from answered
     group by node_id, answer
     order by sessions desc, node_id, answer
     limit {MOST_OPTIONS}
)
select {OF_STEP}
  from steps
  left join flowpilot_step step
    on step.account_id = %s and step.flow_id = %s and step.node_id = steps.node_id
 union all
select {OF_OPTION}
  from options
"""  # noqa: S608 - pieces of this module and of the one beside it; values are parameters


def walks(sessions: SessionQuerySet, flow: Flow, *, now: datetime, idle_limit: timedelta) -> Walks:
    """The figures of each step and option of the flow over these sessions of it, in one query."""
    dropped = ExpressionWrapper(given_up(now - idle_limit), output_field=BooleanField())
    rows = sessions.order_by().annotate(given_up=dropped)
    chosen, parameters = rows.values("started_at", "outcome", "decisions", "given_up").query.sql_with_params()
    longest = idle_limit.total_seconds()
    further = (longest, longest, flow.account_id, flow.id)
    steps, options = {}, {}
    with connection.cursor() as cursor:
        cursor.execute(WALKS.replace("{chosen}", chosen), [*parameters, *further])
        for values in cursor:
            row = dict(zip(COLUMNS, values, strict=True))
            node_id, answer = row["node_id"], row["answer"]
            if answer is None:
                steps[node_id] = StepFigures(**{field.name: row[field.name] for field in fields(StepFigures)})
            else:
                outcomes = {outcome: row[outcome.value] for outcome in Outcome}
                options[node_id, answer] = OptionFigures(
                    node_id, answer, row["visits"], row["sessions"], outcomes
                )
    return Walks(steps, options)
