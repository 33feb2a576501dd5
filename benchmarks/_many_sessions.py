"""Accounts with as many sessions as one likes, made by the database itself in seconds. The same rows at every run."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from flowpilot.models import Session
from ratings.models import SessionRating
from resolutionflow.models import Account, Role, User

FLOWS = 200
ENGINEERS = 40
CLIENTS = 300

FLOWS_SQL = """
    insert into flowpilot_flow
           (id, account_id, name, description, kind, status, origin, created_at, updated_at, usage_count, last_revision)
    select gen_random_uuid(), %(account)s, 'Flow ' || n, '', 'troubleshooting', 'published', 'manual',
           %(start)s, %(start)s, 0, 0
      from generate_series(1, %(flows)s) n
"""
CLIENTS_SQL = """
    insert into flowpilot_client (id, account_id, name)
    select gen_random_uuid(), %(account)s, 'Client ' || n from generate_series(1, %(clients)s) n
"""
# Ids sort by time as the program's do. Few flows and people have most of the work: the square of an even draw.
SESSIONS_SQL = """
    insert into flowpilot_session
           (id, account_id, user_id, client_id, flow_id, problem_summary, confidence_tier, status, outcome,
            started_at, completed_at, last_activity_at, decisions, step_count, psa_ticket_id, source, external_id)
    with of_account as materialized (
        select (select array_agg(id order by email) from resolutionflow_user where account_id = %(account)s) users,
               (select array_agg(id order by name) from flowpilot_client where account_id = %(account)s) clients,
               (select array_agg(id order by name) from flowpilot_flow where account_id = %(account)s) flows
    ), drawn as (
        select n, %(start)s::timestamptz + (n - random()) * %(step)s::interval as started_at,
               random() as fate, random() as by_flow, random() as by_user, random() as by_client, random() as tier,
               interval '1 second' * (60 + 900 * exp(1.2 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())))
                   as took
          from generate_series(1, %(count)s) n
    ), ended as (
        select *, case when fate < 0.70 then 'resolved' when fate < 0.78 then 'workaround'
                       when fate < 0.90 then 'escalated' when fate < 0.95 then 'unresolved' end as outcome
          from drawn
    )
    select (lpad(to_hex((extract(epoch from started_at) * 1000)::bigint), 12, '0')
               || '7' || substr(md5(n::text || %(account)s::text), 1, 19))::uuid,
           %(account)s, users[1 + floor(%(engineers)s * by_user ^ 2)], clients[1 + floor(%(clients)s * by_client ^ 2)],
           flows[1 + floor(%(flows)s * by_flow ^ 2)],
           'Printer ' || n %% 977 || ' on floor ' || n %% 13 || ' prints blank pages after the update',
           case when tier < 0.6 then 'guided' when tier < 0.85 then 'exploring' else 'discovery' end,
           case when outcome = 'workaround' then 'resolved' else coalesce(outcome, 'abandoned') end, outcome,
           started_at, case when outcome is not null then started_at + took end, started_at + took,
           '[{"id": "1", "node_id": "root", "title": "Is it plugged in?", "answer": "Yes", "note": ""}]',
           1, null, 'import', 'ticket-' || n
      from ended, of_account
     order by n
"""
RATINGS_SQL = """
    insert into ratings_sessionrating (id, account_id, session_id, user_id, flow_id, rating, created_at)
    select id, account_id, id, user_id, flow_id, 1 + floor(5 * sqrt(random())), completed_at
      from flowpilot_session
     where account_id = %(account)s and completed_at is not null and random() < 0.37
"""
FOREIGN_KEYS_AND_INDEXES = """
    select format('alter table %%I drop constraint %%I', %(table)s, conname),
           format('alter table %%I add constraint %%I %%s', %(table)s, conname, pg_get_constraintdef(oid))
      from pg_constraint
     where conrelid = %(table)s::regclass and contype = 'f'
     union all
    select format('drop index %%I', indexrelid::regclass), pg_get_indexdef(indexrelid)
      from pg_index
     where indrelid = %(table)s::regclass
       and not exists (select from pg_constraint where conindid = indexrelid and conrelid = indrelid)
"""


def fill(accounts: Iterable[tuple[str, int]], *, start: datetime, end: datetime) -> None:
    """An account a slug, led by lead@<slug>.example, with the given number of sessions spread evenly over the time.

    Every session ran a flow; three in ten are rated. Indexes and foreign keys are rebuilt after the loading, and the
    tables vacuumed and analysed, as they are in a database that has been in use for a while.
    """
    with connection.cursor() as cursor:
        rebuild = []
        for model in (Session, SessionRating):
            # it would start on the new rows in the middle of the measuring
            cursor.execute(f"alter table {model._meta.db_table} set (autovacuum_enabled = off)")
            rebuild += _taken_off(cursor, model._meta.db_table)
        cursor.execute("select setseed(0.5)")
        for slug, count in accounts:
            account = Account.objects.create(name=slug, slug=slug, time_zone="Europe/London")
            people = [User(account=account, email=f"lead@{slug}.example", name="Lead", role=Role.TEAM_ADMIN)]
            people += [
                User(account=account, email=f"{n}@{slug}.example", name=f"Engineer {n}")
                for n in range(1, ENGINEERS)
            ]
            User.objects.bulk_create(people)
            values = {
                "account": account.id,
                "flows": FLOWS,
                "engineers": ENGINEERS,
                "clients": CLIENTS,
                "count": count,
                "start": start,
                "step": (end - start) / count,
            }
            for statement in (FLOWS_SQL, CLIENTS_SQL, SESSIONS_SQL, RATINGS_SQL):
                cursor.execute(statement, values)
        for statement in rebuild:
            cursor.execute(statement)
        cursor.execute("vacuum analyze")


def _taken_off(cursor: CursorWrapper, table: str) -> list[str]:
    """Drops the foreign keys and the plain indexes of the table; returns the statements that make them again."""
    cursor.execute(FOREIGN_KEYS_AND_INDEXES, {"table": table})
    rows = cursor.fetchall()
    for drop, _ in rows:
        cursor.execute(drop)
    return [make for _, make in rows]
