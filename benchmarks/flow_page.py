"""A flow's analytics and each of its panels, as a browser asks for them, beside the obvious way.

Of an account with as many sessions in the period the busiest flow is asked for, then one that all of them ran, which is
the most there can be. Both ways answer in turn, from the same tables, and must give the same panels. The figures are
medians; on a busy machine only their ratio means much.
"""

import argparse
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.dashboards import FLOW
from benchmarks._database import own_database
from benchmarks._many_sessions import fill
from benchmarks._obvious_flow import obvious_way
from benchmarks.team_page import BUDGETS, DAYS, NEIGHBOURS, PAGE, numbers, once, timed
from flowpilot.models import Flow, FlowVersion, Session, Step
from resolutionflow.links import url_with
from resolutionflow.models import Account, User
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
    parser = argparse.ArgumentParser(prog="flow_page", description=__doc__)
    parser.add_argument("--sizes", type=numbers, default=[10_000, 100_000], help="10000,100000")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--explain", action="store_true", help="print the plan of every query instead")
    chosen = parser.parse_args(arguments)
    tz, now = ZoneInfo("Europe/London"), timezone.now()
    period = Period.ending(now.astimezone(tz).date() - timedelta(days=1), DAYS, now=now, tz=tz)
    logging.disable(logging.INFO)
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with (
        override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"], STORAGES=storages),
        own_database("flow_page"),
    ):
        accounts = [(f"{kind}-{size}", 2 * size) for size in chosen.sizes for kind in ("busiest", "only")]
        fill([*NEIGHBOURS, *accounts], start=period.before.start, end=period.end)
        flows = {slug: _walked(slug) for slug, _ in accounts}
        with connection.cursor() as cursor:
            cursor.execute("vacuum analyze")
        for slug, count in accounts:
            client = Client(SERVER_NAME="localhost")
            client.force_login(User.objects.get(email=f"lead@{slug}.example"))
            if chosen.explain:
                _explain(client, flows[slug], period)
            else:
                _compare(client, slug, flows[slug], period, count // 2, chosen.rounds)


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


def _compare(client: Client, slug: str, flow: Flow, period: Period, size: int, rounds: int) -> None:
    urls = _urls(flow, period)
    with account_scope(flow.account_id):
        of_flow = Session.objects.filter(flow=flow).during(period).count()
    queries = {}
    for name, url in urls.items():
        own, content = once(client, url, nullcontext)
        obvious, obvious_content = once(client, url, obvious_way)
        # a page has a token of its own each time
        assert name == PAGE or content == obvious_content, f"{name}: the two ways differ"
        queries[name] = (own, obvious)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in urls}
    for _ in range(rounds):
        for name, url in urls.items():
            times[name].append((timed(client, url, nullcontext), timed(client, url, obvious_way)))
    print(f"\n{slug}: {size:,} sessions in {DAYS} days, {of_flow:,} of the flow; ms, median of {rounds}")
    print(
        f"{'':10}{'queries':>8}{'best':>8}{'median':>8}   {'obvious':>8}{'median':>8}{'ratio':>7}{'budget':>8}"
    )
    for name, pairs in times.items():
        own, obvious = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
        budget = BUDGETS.get(size) if name == PAGE else None
        print(
            f"{name:10}{queries[name][0]:>8}{min(pair[0] for pair in pairs):>8.0f}{own:>8.0f}   "
            f"{queries[name][1]:>8}{obvious:>8.0f}{obvious / own:>7.1f}"
            + ("" if budget is None else f"{budget:>8} {'kept' if own <= budget else 'missed'}"),
            flush=True,
        )


def _explain(client: Client, flow: Flow, period: Period) -> None:
    with CaptureQueriesContext(connection) as queries:
        client.get(_urls(flow, period)[PAGE], secure=True)
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            if "flowpilot_session" in query["sql"]:
                cursor.execute("explain (analyze, buffers) " + query["sql"])
                print("", query["sql"], *(line for (line,) in cursor.fetchall()), sep="\n")
