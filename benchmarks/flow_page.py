"""A flow's analytics and each of its panels, as a browser asks for them, beside the obvious way.

Of an account with as many sessions in the period the busiest flow is asked for, then one that all of them ran, which is
the most there can be. The page shows at first what needs no decisions; "walks" is what it asks for then.
"""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Count

from analytics.dashboards import FLOW
from benchmarks._both_ways import DAYS, NEIGHBOURS, PAGE, arguments_of, compare, explain, lead_of, prepared
from benchmarks._many_sessions import fill
from benchmarks._obvious_flow import obvious_way
from flowpilot.models import Flow, FlowVersion, Session, Step
from resolutionflow.links import url_with
from resolutionflow.models import Account
from resolutionflow.periods import Period
from resolutionflow.tenancy import account_scope

NODES = 40
# Up to ten steps along the nodes, a minute or so each; one in twenty is taken back.
WALKS_SQL = """
    update flowpilot_session session
       set flow_id = %(flow)s, flow_version_id = %(version)s, decisions = (
           select coalesce(jsonb_agg(jsonb_build_object(
                      'id', step::text, 'node_id', 'node-' || (start + step) %% %(nodes)s, 'title', 'Step ' || step,
                      'answer', case when (start + step) %% 3 = 0 then 'No' else 'Yes' end, 'note', '',
                      'at', to_char((started_at + step * (20 + start) * interval '1 second') at time zone 'UTC',
                                    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                      'undone_at', case when (start * step) %% 20 = 1 then to_jsonb(started_at) else 'null' end,
                      'taken_over', false)), '[]')
             from generate_series(1, 2 + start %% 9) step)
      from (select id, abs(hashtext(id::text)) %% 97 as start
              from flowpilot_session where account_id = %(account)s) drawn
     where session.account_id = %(account)s and session.id = drawn.id and (session.flow_id = %(flow)s or %(all)s)
"""


def main(arguments: Sequence[str]) -> None:
    chosen = arguments_of("flow_page", __doc__, arguments, sizes=[10_000, 100_000], rounds=10)
    with prepared("flow_page") as period:
        sizes = {f"{kind}-{size}": size for size in chosen.sizes for kind in ("busiest", "only")}
        accounts = [(slug, 2 * size) for slug, size in sizes.items()]
        fill([*NEIGHBOURS, *accounts], start=period.before.start, end=period.end)
        flows = {slug: _walked(slug) for slug in sizes}
        with connection.cursor() as cursor:
            cursor.execute("vacuum analyze")
        for slug, size in sizes.items():
            client, urls = lead_of(slug), _urls(flows[slug], period)
            if chosen.explain:
                explain(client, urls["walks"])
            else:
                title = (
                    f"{slug}: {size:,} sessions in {DAYS} days, {_count(flows[slug], period):,} of the flow"
                )
                compare(client, urls, obvious_way, title=title, size=size, rounds=chosen.rounds)


def _walked(slug: str) -> Flow:
    """The busiest flow of the account, with a version, steps and decisions; of "only" it gets all sessions."""
    account = Account.objects.get(slug=slug)
    with account_scope(account):
        busiest = Session.objects.values("flow_id").annotate(count=Count("pk")).latest("count")["flow_id"]
        flow = Flow.objects.get(id=busiest)
        flow.current_version = FlowVersion.objects.create(flow=flow, number=1, structure=_structure())
        flow.save()
        Step.objects.bulk_create(
            Step(flow=flow, node_id=f"node-{n}", title=f"Is part {n} as it should be?") for n in range(NODES)
        )
        values = {"flow": flow.id, "version": flow.current_version.id, "account": account.id, "nodes": NODES}
        with connection.cursor() as cursor:
            cursor.execute(WALKS_SQL, values | {"all": slug.startswith("only")})
    return flow


def _structure() -> dict[str, object]:
    def node(n: int) -> dict[str, object]:
        following = f"node-{n + 1}" if n + 1 < NODES else "done"
        options = [{"label": "Yes", "next": following}, {"label": "No", "next": "done"}]
        return {"id": f"node-{n}", "type": "question", "title": f"Is part {n} right?", "options": options}

    done = {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Done"}
    return node(0) | {"children": [*(node(n) for n in range(1, NODES)), done]}


def _urls(flow: Flow, period: Period) -> dict[str, str]:
    panels = {
        section.name: url_with("analytics:flow-panel", period.query, flow.id, section.name)
        for section in (*FLOW.sections, *FLOW.panels)
    }
    return {PAGE: url_with("analytics:flow", period.query, flow.id)} | panels


def _count(flow: Flow, period: Period) -> int:
    with account_scope(flow.account_id):
        return Session.objects.filter(flow=flow).during(period).count()
