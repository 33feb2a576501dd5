"""FlowPilot's four tabs and each of their panels, beside the obvious way."""

from collections.abc import Iterable, Sequence

from django.db import connection

from analytics.dashboards import FLOWPILOT, Dashboard
from benchmarks._both_ways import DAYS, NEIGHBOURS, PAGE, arguments_of, compare, explain, lead_of, prepared
from benchmarks._many_sessions import fill
from benchmarks._obvious_flowpilot import obvious_way
from resolutionflow.links import url_with
from resolutionflow.models import Account
from resolutionflow.periods import Period

DOMAINS = 12
# Flows are spread over the domains, the last of which has none. One session in eight ran none, one in forty has no
# domain. Up to ten steps a session, of which one in twenty is taken back; nine in ten have a ticket.
STATEMENTS = (
    """
    insert into flowpilot_domain (id, account_id, name)
    select gen_random_uuid(), %(account)s, 'Domain ' || n from generate_series(1, %(domains)s) n
    """,
    """
    update flowpilot_flow flow set domain_id = domain.id
      from flowpilot_domain domain
     where flow.account_id = %(account)s and domain.account_id = %(account)s
       and domain.name = 'Domain ' || 1 + abs(hashtext(flow.name)) %% (%(domains)s - 1)
    """,
    """
    insert into flowpilot_flowversion (id, account_id, flow_id, number, structure, published_at, note)
    select gen_random_uuid(), account_id, id, 1, '{}', created_at, '' from flowpilot_flow where account_id = %(account)s
    """,
    """
    insert into flowpilot_step (id, account_id, flow_id, node_id, title, helpful_yes, helpful_no)
    select gen_random_uuid(), account_id, id, 'node-' || n, 'Is part ' || n || ' as it should be?', 0, 0
      from flowpilot_flow, generate_series(0, 19) n where account_id = %(account)s
    """,
    """
    update flowpilot_session session
       set domain_id = case when draw %% 40 > 0 then coalesce(flow.domain_id, last.id) end,
           flow_id = case when draw %% 8 > 0 then session.flow_id end,
           confidence = (draw %% 100) / 100.0,
           psa_ticket_id = case when draw %% 10 > 0 then draw::text end,
           decisions = (
               select jsonb_agg(jsonb_build_object(
                          'id', step::text, 'node_id', 'node-' || (draw + step) %% 20, 'title', 'Step ' || step,
                          'answer', case when (draw + step) %% 3 = 0 then 'No' else 'Yes' end, 'note', '',
                          'at', to_char((started_at + step * interval '20 seconds') at time zone 'UTC',
                                        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                          'undone_at', case when (draw %% 97 * step) %% 20 = 1
                                           then to_jsonb(started_at) else 'null' end,
                          'taken_over', false))
                 from generate_series(1, 2 + draw %% 9) step)
      from (select id, abs(hashtext(id::text)) as draw from flowpilot_session where account_id = %(account)s) drawn,
           flowpilot_flow flow, flowpilot_domain last
     where session.account_id = %(account)s and session.id = drawn.id
       and flow.account_id = %(account)s and flow.id = session.flow_id
       and last.account_id = %(account)s and last.name = 'Domain ' || %(domains)s
    """,
    """
    insert into ratings_steprating
           (id, account_id, step_id, user_id, session_id, was_helpful, reasons, created_at, updated_at)
    select gen_random_uuid(), session.account_id, step.id, user_id, session.id, draw %% 3 > 0, '[]',
           started_at, started_at
      from (select *, abs(hashtext(id::text)) as draw from flowpilot_session where account_id = %(account)s) session
      join flowpilot_step step on step.account_id = session.account_id and step.flow_id = session.flow_id
       and node_id = 'node-' || draw %% 20
     where draw %% 7 = 0
    """,
    """
    insert into flowpilot_psaactivitylog
           (id, account_id, session_id, activity_type, hours_logged, psa_ticket_id, created_at)
    select gen_random_uuid(), account_id, id, kind, case when kind = 'time_entry_posted' then 0.25 end, psa_ticket_id,
           completed_at
      from flowpilot_session, unnest(array['note_posted', 'time_entry_posted']) kind
     where account_id = %(account)s and psa_ticket_id is not null and completed_at is not null
       and abs(hashtext(id::text || kind)) %% 5 > 0
    """,
    """
    insert into flowpilot_flowproposal
           (id, account_id, kind, title, summary, structure, evidence, confidence, status, review_note, created_at)
    select gen_random_uuid(), %(account)s, 'new_flow', 'Proposal ' || n, '', '{}',
           jsonb_build_object('sessions', (select jsonb_agg(id) from (
               select id from flowpilot_session where account_id = %(account)s order by id desc offset n * 7 limit 7
           ) newest)), 0.7, 'pending', '', now()
      from generate_series(1, 10) n
    """,
)


def main(arguments: Sequence[str]) -> None:
    chosen = arguments_of("flowpilot_tabs", __doc__, arguments, sizes=[10_000, 100_000], rounds=20)
    with prepared("flowpilot_tabs") as period:
        accounts = [(f"with-{size}", 2 * size) for size in chosen.sizes]
        fill([*NEIGHBOURS, *accounts], start=period.before.start, end=period.end)
        _finish([slug for slug, _ in accounts])
        for size in chosen.sizes:
            client = lead_of(f"with-{size}")
            for tab in FLOWPILOT:
                urls = _urls(tab, period)
                if chosen.explain:
                    explain(client, urls[PAGE])
                else:
                    title = f"{tab.tab}: {size:,} sessions in {DAYS} days"
                    compare(client, urls, obvious_way, title=title, size=size, rounds=chosen.rounds)


def _finish(slugs: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for account in Account.objects.filter(slug__in=slugs):
            for statement in STATEMENTS:
                cursor.execute(statement, {"account": account.id, "domains": DOMAINS})
        # in the order of time, in which sessions come
        cursor.execute("cluster flowpilot_session using session_figures")
        cursor.execute("vacuum analyze")


def _urls(tab: Dashboard, period: Period) -> dict[str, str]:
    page = {PAGE: url_with("analytics:flowpilot", {"tab": tab.value} | period.query)}
    return page | {
        panel.name: url_with("analytics:flowpilot-panel", period.query, tab.value, panel.name)
        for panel in tab.panels
    }
