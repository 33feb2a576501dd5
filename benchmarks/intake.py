"""What the start of a session costs the server while a problem is typed: 2,000 flows and 200,000 sessions.

The obvious way is what one writes first: PostgreSQL's full text search over the texts as they are, ranked, the best
five of each. It takes so long that it is asked about the first problems only. The texts are those of the starter
library and of problems.jsonl, with words mixed in, so that most words stand in many of them.
"""

import argparse
import json
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from statistics import median, quantiles

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from uuid6 import uuid7

from benchmarks._database import own_database
from benchmarks.matching import PLAIN, PROBLEMS
from flowpilot.flows.copying import copy_flows
from flowpilot.flows.library import starter_library
from resolutionflow.models import Account, Role, User
from resolutionflow.tenancy import account_scope

OBVIOUS_PROBLEMS = 2
BUDGET = 100  # milliseconds of one answer
FLOWS, SESSIONS, NEIGHBOURS = 2_000, 200_000, 100_000

MORE_FLOWS = """
    with templates as (
        select flow.account_id, flow.domain_id, flow.name, flow.description, flow.kind, flow.status, flow.origin,
               flow.created_at, flow.updated_at, version.structure,
               row_number() over (order by flow.name) - 1 as place,
               count(*) over () as all_of
          from flowpilot_flow flow
          join flowpilot_flowversion version
            on version.account_id = %(account)s and version.id = flow.current_version_id
         where flow.account_id = %(account)s
    ), made as (
        select gen_random_uuid() as id, gen_random_uuid() as version_id, templates.*, n
          from generate_series(1, %(more)s) n join templates on place = n %% all_of
    ), flows as (
        insert into flowpilot_flow (id, account_id, domain_id, name, description, kind, status, origin, created_at,
                                    updated_at, usage_count, last_revision)
        select id, account_id, domain_id, name || ' at ' || (%(words)s::text[])[1 + n %% %(many)s] || ' ' || n,
               description, kind, status, origin, created_at, updated_at, 0, 0
          from made
    )
    insert into flowpilot_flowversion (id, account_id, flow_id, number, structure, published_at, note)
    select version_id, account_id, id, 1, structure, created_at, '' from made
"""
POINT = """
    update flowpilot_flow flow
       set current_version_id = version.id
      from flowpilot_flowversion version
     where flow.account_id = %(account)s and version.account_id = %(account)s and version.flow_id = flow.id
       and flow.current_version_id is null
"""
# Ids sort by time as the program's do.
MORE_SESSIONS = """
    insert into flowpilot_session
           (id, account_id, user_id, flow_id, problem_summary, confidence_tier, status, outcome, started_at,
            completed_at, last_activity_at, decisions, step_count, resolution_summary, source)
    with flows as (select array_agg(id order by id) as ids from flowpilot_flow where account_id = %(account)s)
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
               || substr(md5(n::text || %(account)s::text), 1, 19))::uuid,
           %(account)s, %(user)s, case when n %% 3 > 0 then ids[1 + n * 7919 %% cardinality(ids)] end,
           left((%(problems)s::text[])[1 + n * 104729 %% %(many_problems)s], 400) || ' '
               || (%(words)s::text[])[1 + n * 31 %% %(many)s] || ' '
               || (%(words)s::text[])[1 + n * 17 %% %(many)s] || ' ' || n,
           'guided', 'resolved', 'resolved', at, at + interval '20 minutes', at + interval '20 minutes',
           '[{"id": "1", "node_id": "root", "title": "Is it plugged in?", "answer": "Yes", "note": ""}]', 1,
           'Plugged it in', 'app'
      from flows, (select n, %(start)s::timestamptz + n * %(step)s::interval as at
                     from generate_series(1, %(count)s::bigint) n) times
"""
OBVIOUS_SESSIONS = """
    select id, problem_summary, resolution_summary, psa_ticket_id, completed_at
      from flowpilot_session,
           (select replace(plainto_tsquery('english', %(text)s)::text, '&', '|')::tsquery as query) asked
     where account_id = %(account)s and status = 'resolved' and to_tsvector('english', problem_summary) @@ query
     order by ts_rank(to_tsvector('english', problem_summary), query) desc, id
     limit 5
"""


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="intake", description=__doc__)
    parser.add_argument("--problems", type=int, default=40, help="how many problems are asked about")
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--explain", action="store_true", help="print the plans for the slowest problem too")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.INFO)
    storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with (
        override_settings(DEBUG=False, ALLOWED_HOSTS=["localhost"], STORAGES=storages),
        own_database("intake"),
    ):
        texts = [json.loads(line)["text"] for line in PROBLEMS.read_text(encoding="utf-8").splitlines()]
        account = _fill("bench", texts, chosen.flows, chosen.sessions)
        _fill("neighbour", texts, 100, NEIGHBOURS)
        with connection.cursor() as cursor:
            cursor.execute("vacuum analyze")
        browser = Client(SERVER_NAME="localhost")
        browser.force_login(User.objects.get(email="engineer@bench.example"))
        _measure(browser, account, texts[:: len(texts) // chosen.problems], explain=chosen.explain)


def _fill(slug: str, texts: Sequence[str], flows: int, sessions: int) -> Account:
    account = Account.objects.create(name=slug, slug=slug)
    lead = User.objects.create_user(
        f"lead@{slug}.example", name="Lead", account=account, role=Role.TEAM_ADMIN
    )
    engineer = User.objects.create_user(f"engineer@{slug}.example", name="Engineer", account=account)
    library, now = starter_library(), timezone.now()
    words = sorted(
        {word for text in texts for word in text.lower().split() if word.isalpha() and len(word) > 3}
    )
    values = {
        "account": account.id,
        "user": engineer.id,
        "more": flows - len(library),
        "words": words,
        "many": len(words),
        "problems": list(texts),
        "many_problems": len(texts),
        "count": sessions,
        "start": now - timedelta(days=700),
        "step": timedelta(days=699) / sessions,
    }
    with account_scope(account):
        copy_flows(library, account, published=True, user=lead, now=now)
        with connection.cursor() as cursor:
            for statement in (MORE_FLOWS, POINT, MORE_SESSIONS):
                cursor.execute(statement, values)
    return account


def _measure(browser: Client, account: Account, problems: Sequence[str], *, explain: bool) -> None:
    ours: list[float] = []
    queries = 0
    for problem in problems:
        with CaptureQueriesContext(connection) as captured:
            _answer(browser, problem)
        queries = max(queries, len(captured))
        ours.append(min(_answer(browser, problem) for _ in range(3)))
    obvious = [_obvious(account, problem) for problem in problems[:OBVIOUS_PROBLEMS]]
    print(f"{len(problems)} problems, ms each, best of 3; budget {BUDGET}, {queries} queries at most")
    print(f"{'':14}{'median':>9}{'95 %':>9}{'most':>9}")
    for title, times in (("the answer", ours), ("obvious way", obvious)):
        print(
            f"{title:14}{median(times):>9.0f}{quantiles(times, n=20)[-1]:>9.0f}{max(times):>9.0f}", flush=True
        )
    kept = sum(took <= BUDGET for took in ours)
    print(f"ratio {median(obvious) / median(ours):.1f}; {kept} of {len(ours)} within the budget")
    if explain:
        _explain(browser, problems[ours.index(max(ours))])


def _answer(browser: Client, problem: str) -> float:
    fields = {"session_id": uuid7(), "problem_summary": problem[:500], "problem_description": problem[500:]}
    started = time.perf_counter()
    response = browser.post("/sessions/new/suggestions/", fields, headers={"HX-Request": "true"}, secure=True)
    took = (time.perf_counter() - started) * 1000
    assert response.status_code == 200, response.status_code
    return took


def _obvious(account: Account, problem: str) -> float:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        for statement in (PLAIN, OBVIOUS_SESSIONS):
            cursor.execute(statement, {"text": problem, "account": account.id})
            cursor.fetchall()
    return (time.perf_counter() - started) * 1000


def _explain(browser: Client, problem: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        _answer(browser, problem)
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            print("", query["time"], query["sql"][:200], sep="\n")
            if "unnest" in query["sql"]:
                cursor.execute("explain (analyze, buffers) " + query["sql"])
                print(*(line for (line,) in cursor.fetchall()), sep="\n")
