"""Asks the words that PostgreSQL keeps of flows, steps and problems (migration 0010), each question in one statement.

The words stand there as they were written, folded; a stem is found as the beginning of a word. What is found are
candidates: which words are really the same is for the ranking to say.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from flowpilot.matching.concepts import ways_to_say
from flowpilot.matching.text import is_code, stem
from resolutionflow.accounts.models import Account

MOST_FLOWS = 30
MOST_SESSIONS = 60
COMMON = 300  # a word of so many problems or more is looked for in the newest sessions only
NEWEST = 1_000
COUNTED = 20_000  # sessions; that an account has more makes no word commoner
SHORT = 3  # a stem of so few letters begins too many words

FLOWS = """
with asked as (
    select n, query::tsquery as query from unnest(%(numbers)s::int[], %(queries)s::text[]) given (n, query)
), hits as materialized (
    select asked.n, flow.id, true as named
      from asked
      join flowpilot_flow flow on flow.account_id = %(account)s and flow.words @@ asked.query
     where flow.status = 'published' and flow.current_version_id is not null
     union all
    select asked.n, flow.id, false
      from asked
      join flowpilot_flowversion version on version.account_id = %(account)s and version.words @@ asked.query
      join flowpilot_flow flow on flow.account_id = %(account)s and flow.current_version_id = version.id
     where flow.status = 'published'
), size as (
    select count(*) as flows
      from flowpilot_flow flow
     where flow.account_id = %(account)s and flow.status = 'published' and flow.current_version_id is not null
), told as materialized (
    select n, named, within,
           ln(1 + flows / (named + 0.5::float8)) as by_name, 0.4 * ln(1 + flows / (within + 0.5::float8)) as by_step
      from (select n, count(*) filter (where named) as named, count(*) filter (where not named) as within
              from hits group by n) counted
     cross join size
), best as (
    select hits.id,
           sum(case when hits.named then told.by_name else told.by_step end) as weight,
           array_agg(hits.n) filter (where not hits.named) as within
      from hits join told on told.n = hits.n
     group by hits.id
     order by weight desc, hits.id
     limit %(most)s
), candidates as (
    select id, within from best
     union all
    select flow.id, null
      from flowpilot_flow flow
     where flow.account_id = %(account)s and flow.id = any(%(further)s::uuid[]) and flow.status = 'published'
       and flow.current_version_id is not null and flow.id not in (select id from best)
)
select flow.id, flow.name, flow.description, flow.domain_id, candidates.within, length(version.words),
       version.words::text,
       size.flows, (select jsonb_object_agg(n, jsonb_build_array(named, within)) from told)
  from candidates
  join flowpilot_flow flow on flow.account_id = %(account)s and flow.id = candidates.id
  join flowpilot_flowversion version
    on version.account_id = %(account)s and version.id = flow.current_version_id
 cross join size
"""

# How common a word is, the newest sessions tell: the index would first collect all sessions that have it, which for a
# common word takes longer than everything else. Words that seem rare are looked up, in one go with their counting.
SESSIONS = """
with asked as (
    select n, query::tsquery as query from unnest(%(numbers)s::int[], %(queries)s::text[]) given (n, query)
), size as materialized (
    select count(*) as sessions
      from (select 1 from flowpilot_session session where session.account_id = %(account)s limit %(counted)s) counting
), recent as materialized (
    select asked.n, session.id
      from (select session.id, session.words
              from flowpilot_session session
             where session.account_id = %(account)s
             order by session.started_at desc
             limit %(newest)s) session
      join asked on session.words @@ asked.query
), among as materialized (
    select asked.n, asked.query, count(recent.id) as found
      from asked left join recent on recent.n = asked.n
     group by asked.n, asked.query::text, asked.query
), rare as materialized (
    select among.n, listed.id
      from among
     cross join size
     cross join lateral (
           select session.id
             from flowpilot_session session
            where session.account_id = %(account)s and session.words @@ among.query
            limit %(common)s) listed
     where size.sessions > %(newest)s and among.found * size.sessions < %(common)s * %(newest)s
), counted as materialized (
    select among.n,
           case when size.sessions <= %(newest)s then least(among.found, %(common)s)
                when among.found * size.sessions < %(common)s * %(newest)s then coalesce(listed.found, 0)
                else %(common)s end as found
      from among
     cross join size
      left join (select n, count(*) as found from rare group by n) listed on listed.n = among.n
), best as (
    select id
      from (select counted.n, counted.found, rare.id
              from counted join rare on rare.n = counted.n
             where counted.found < %(common)s
             union
            select counted.n, counted.found, recent.id
              from counted join recent on recent.n = counted.n) hits
     group by id
     order by sum(ln(1 + %(common)s / (found + 0.5::float8))) desc, id desc
     limit %(most)s
)
select session.id, session.user_id, session.problem_summary, left(session.problem_description, 2000),
       session.resolution_summary, session.status, session.psa_ticket_id, session.completed_at,
       session.flow_id, flow.name, session.domain_id, (select jsonb_object_agg(n, found) from counted)
  from best
  join flowpilot_session session on session.account_id = %(account)s and session.id = best.id
  left join flowpilot_flow flow on flow.account_id = %(account)s and flow.id = session.flow_id
"""


@dataclass(frozen=True)
class FlowRow:
    """A flow that may fit. `within` are the numbers of the words asked for that stand in a step, `counts` how often
    which word does, `named` and `inside` in how many of the account's `flows` each number stands in the name or the
    description, and in a step."""

    id: UUID
    name: str
    description: str
    domain_id: UUID | None
    within: frozenset[int]
    length: int
    counts: dict[str, int]
    flows: int
    named: dict[int, int]
    inside: dict[int, int]


@dataclass(frozen=True)
class SessionRow:
    """A session about a problem that may be alike. `found` says of each number how many problems have it, or COMMON."""

    id: UUID
    user_id: UUID
    problem: str
    description: str
    solution: str
    status: str
    ticket: str | None
    completed_at: datetime | None
    flow_id: UUID | None
    flow_name: str | None
    domain_id: UUID | None
    found: dict[int, int]


def flows_with(account: Account, words: Sequence[str], further: Iterable[UUID]) -> list[FlowRow]:
    """The published flows that have the most telling of these words, and the `further` ones whatever they have."""
    counted = _pattern(words, account)
    values = _asked(account, dict(enumerate(words))) | {
        "further": list(further),
        "most": MOST_FLOWS,
    }
    rows = []
    for id_, name, description, domain, within, length, written, flows, told in _fetch(FLOWS, values):
        numbers = json.loads(told or "{}")
        rows.append(
            FlowRow(
                id=id_,
                name=name,
                description=description,
                domain_id=domain,
                within=frozenset(within or ()),
                length=length or 0,
                counts={found[1]: found[2].count(",") + 1 for found in counted.finditer(written or "")},
                flows=flows,
                named={int(n): both[0] for n, both in numbers.items()},
                inside={int(n): both[1] for n, both in numbers.items()},
            )
        )
    return rows


def sessions_with(account: Account, words: Mapping[int, str]) -> list[SessionRow]:
    """The sessions whose problem has the most telling of these words, by their numbers: of rare words all, of common
    ones the newest."""
    values = _asked(account, words) | {"common": COMMON, "newest": NEWEST, "counted": COUNTED}
    values["most"] = MOST_SESSIONS
    names = [column.name for column in fields(SessionRow)]
    rows = []
    for row in _fetch(SESSIONS, values):
        facts = dict(zip(names, row, strict=True))
        found = json.loads(facts.pop("found") or "{}")
        rows.append(SessionRow(**facts, found={int(n): count for n, count in found.items()}))
    return rows


def _pattern(words: Sequence[str], account: Account) -> re.Pattern[str]:
    """Finds in a tsvector's text the words that begin as one of these, and where they stand; which of them are really
    the same, the ranking sees. To take the vector apart in SQL costs three times as much."""
    language = account.language
    beginnings = {
        re.escape(_begin(way[0].partition(".")[0], language)[:3])
        for word in words
        for way in ways_to_say(word, language)
    }
    return re.compile(rf"'{lead_of(account)}((?:{'|'.join(sorted(beginnings))})[^']*)':([0-9,]+)")


def lead_of(account: Account) -> str:
    """What every word of the account begins with."""
    return "x" + str(account.id)[-8:]


def _asked(account: Account, words: Mapping[int, str]) -> dict[str, Any]:
    return {
        "account": account.id,
        "numbers": list(words),
        "queries": [_query(word, account) for word in words.values()],
    }


def _query(word: str, account: Account) -> str:
    """A tsquery for the word and what else means the same. Words have letters and digits only, so nothing in them is
    syntax."""
    lead, language = lead_of(account), account.language
    ways = (
        " & ".join(_item(part, lead, language) for part in way)
        for way in dict.fromkeys(ways_to_say(word, language))
    )
    return " | ".join(f"({way})" for way in ways)


def _item(word: str, lead: str, language: str) -> str:
    """A word; one with points in it, a code or a host, stands in the index in parts."""
    return " & ".join(_part(part, lead, language) for part in word.split("."))


def _part(word: str, lead: str, language: str) -> str:
    begin = _begin(word, language)
    whole = is_code(word) or len(begin) <= SHORT
    ways = {begin, word} if whole else {begin}
    if not begin.isascii():  # a database of locale C knows the small letters of ASCII alone
        ways |= {way.capitalize() for way in ways} | {way.upper() for way in ways}
    return "(" + " | ".join(f"'{lead}{way}'{'' if whole else ':*'}" for way in sorted(ways)) + ")"


def _begin(word: str, language: str) -> str:
    """How every form of the word begins: what its stem and itself have in common."""
    stemmed = stem(word, language)
    same = next((n for n, (a, b) in enumerate(zip(word, stemmed, strict=False)) if a != b), len(stemmed))
    return word[:same] or word


def _fetch(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
