"""Sessions that Hypothesis makes up, as rows of the database and as records of plain.py."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from analytics.tests import plain
from flowpilot.models import Session
from flowpilot.tests.factories import ClientFactory, FlowFactory
from ratings.models import SessionRating
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory

# Sorted differently by every collation but code points; two are the same, so that the id has to decide.
NAMES = [
    *("Zebra", "alpha", "Zebra", "Ärger", "ärmel", "日本語", "😀", "مرحبا", "Ω", "a-b", "a b"),
    *("B", "éclair", "\u200fRTL", "Ålesund"),
]
OUTCOMES = ["resolved", "workaround", "escalated", "unresolved"]
OPEN = ["active", "requesting_escalation", "abandoned"]

# Zones with the moments around which something about a day is unusual.
MOMENTS = [
    ("UTC", datetime(2028, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)),
    ("UTC", datetime(2026, 1, 1, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),  # 01:00 → 02:00
    ("Europe/London", datetime(2026, 10, 25, 1, 0, tzinfo=UTC)),  # 02:00 → 01:00
    ("America/Havana", datetime(2026, 3, 8, 5, 0, tzinfo=UTC)),  # 00:00 → 01:00
    ("America/Havana", datetime(2026, 11, 1, 5, 0, tzinfo=UTC)),  # 01:00 → 00:00
    ("America/Santiago", datetime(2026, 9, 6, 4, 0, tzinfo=UTC)),  # 00:00 → 01:00
    ("America/Santiago", datetime(2026, 4, 5, 3, 0, tzinfo=UTC)),  # 24:00 → 23:00
    ("Asia/Kolkata", datetime(2025, 12, 31, 18, 30, tzinfo=UTC)),  # midnight at half past
    ("Pacific/Apia", datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),  # 29 December → 31 December
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, 0, tzinfo=UTC)),  # by half an hour
]
PERIODS = ["7d", "30d", "90d", None, (1, 0), (1, 1), (3, 0), (10, 2), (31, 45), (366, 0)]


@st.composite
def situations(draw):
    zone, moment = draw(st.sampled_from(MOMENTS))
    days = draw(st.sampled_from([0, 1, 2, 6, 7, 14, 60]))
    minutes = draw(st.sampled_from([-90, -30, -1, 0, 1, 30, 59, 60, 90, 600]))
    now = moment + timedelta(days=days, minutes=minutes)
    return SimpleNamespace(zone=zone, moment=moment, now=now, period=draw(st.sampled_from(PERIODS)))


@st.composite
def sessions(draw, engineers=st.integers(0, len(NAMES) - 1)):  # noqa: B008
    """One session. Its start lies beside the unusual moment, beside now, or anywhere in two years before."""
    outcome = draw(st.sampled_from([*OUTCOMES, None]))
    return SimpleNamespace(
        beside=draw(st.sampled_from(["now", "moment"])),
        back=timedelta(
            days=draw(
                st.integers(-1, 8) | st.sampled_from([13, 14, 29, 30, 59, 60, 89, 90, 179, 180, 365, 400])
            ),
            minutes=draw(st.sampled_from([-61, -60, -59, -30, -1, 0, 1, 30, 59, 60, 61, 720])),
            microseconds=draw(st.sampled_from([-1, 0, 1])),
        ),
        # 3 s is exactly 0.05 minutes; 1 s and 2 s have such a median
        seconds=draw(st.sampled_from([0, 1, 2, 3, 9, 600, 4 * 3600, 90_000])) if outcome else None,
        outcome=outcome,
        open=draw(st.sampled_from(OPEN)),
        engineer=draw(engineers),
        flow=draw(st.none() | st.integers(0, len(NAMES) - 1)),
        client=draw(st.sampled_from([None, 0, 1])),
        stars=draw(st.none() | st.integers(1, 5)) if outcome else None,
        foreign=draw(st.sampled_from([False, False, False, True])),
    )


def cast_of(account):
    return SimpleNamespace(
        account=account,
        engineers=[UserFactory(account=account, name=name) for name in NAMES],
        flows=[FlowFactory(name=name, status="archived") for name in NAMES],
        clients=[ClientFactory(name=name) for name in ("Acme", "Contoso")],
    )


EMPTY_DAY = SimpleNamespace(
    zone="Pacific/Apia",
    moment=datetime(2011, 12, 30, 10, 0, tzinfo=UTC),
    now=datetime(2012, 1, 6, 1, 0, tzinfo=UTC),  # the day before the 7 days is one that Samoa left out
    period="7d",
)


def one(**facts):
    usual = {
        "beside": "now",
        "back": timedelta(days=1),
        "seconds": 600,
        "outcome": "resolved",
        "open": "active",
        "engineer": 0,
        "flow": 0,
        "client": None,
        "stars": None,
        "foreign": False,
    }
    return SimpleNamespace(**usual | facts)


USUAL = SimpleNamespace(
    zone="Europe/London",
    moment=datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    now=datetime(2026, 3, 31, 9, 30, tzinfo=UTC),
    period="30d",
)
ABANDONED = one(outcome=None, seconds=None, open="abandoned")


def write(cast, situation, made):
    """The sessions as rows, and as plain records."""
    records = []
    for foreign in (False, True):
        there = cast.other if foreign else cast.here
        with account_scope(there.account):
            rows = [_row(there, situation, session) for session in made if session.foreign == foreign]
            Session.objects.bulk_create(rows)
            # rated now, long after some of them: CSAT is that of the sessions, whenever they were rated
            rated = [row for row in rows if row.stars]
            SessionRating.objects.bulk_create(
                SessionRating(session=row, user=row.user, flow=row.flow, rating=row.stars) for row in rated
            )
        records += [_record("other" if foreign else "here", row) for row in rows]
    return records


def _row(there, situation, session):
    anchor = situation.now if session.beside == "now" else situation.moment
    started_at = anchor - session.back
    row = Session(
        user=there.engineers[session.engineer],
        flow=there.flows[session.flow] if session.flow is not None else None,
        client=there.clients[session.client] if session.client is not None else None,
        problem_summary="Made up",
        started_at=started_at,
        # seconds are whole ones: what is over does not count
        completed_at=started_at + timedelta(seconds=session.seconds, microseconds=999_999)
        if session.outcome
        else None,
        status="resolved" if session.outcome == "workaround" else session.outcome or session.open,
        outcome=session.outcome,
    )
    row.stars, row.seconds = session.stars, session.seconds
    return row


def _record(account, row):
    return plain.Record(
        account=account,
        engineer=plain.Named(str(row.user.id), row.user.name),
        client=row.client and str(row.client.id),
        flow=row.flow and plain.Named(str(row.flow.id), row.flow.name),
        started_at=row.started_at,
        seconds=row.seconds,
        outcome=row.outcome,
        stars=row.stars,
    )


def period_of(situation) -> tuple[dict, date, date]:
    today = situation.now.astimezone(ZoneInfo(situation.zone)).date()
    if situation.period is None:
        return {}, today - timedelta(days=29), today
    if isinstance(situation.period, str):
        return {"period": situation.period}, today - timedelta(days=int(situation.period[:-1]) - 1), today
    length, ago = situation.period
    last = today - timedelta(days=ago)
    first = last - timedelta(days=length - 1)
    return {"from": first.isoformat(), "to": last.isoformat()}, first, last


def rounded(totals):
    rate, median = totals["completion_rate"], totals["median_duration"]
    assert (rate is None) == (totals["sessions"] == 0)
    assert (median is None) == (totals["completed"] == 0)
    return {
        "total_sessions": totals["sessions"],
        "completed_sessions": totals["completed"],
        "completion_rate": plain.half_up(Fraction(rate or 0), 3),
        "median_duration_minutes": plain.half_up(Fraction(median or 0) / 60, 1),
        "active_engineers": totals["active_engineers"],
        "outcome_breakdown": {outcome: totals[outcome] for outcome in plain.OUTCOMES},
    }
