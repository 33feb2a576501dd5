"""Whatever valid rows a file holds: what is imported reads back, and importing it again changes nothing."""

from datetime import UTC, datetime, timedelta

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowpilot.models import Flow, PsaActivityLog, Session, Step
from operations.tests.conftest import row
from ratings.models import SessionRating, StepRating

OUTCOMES = {"resolved": ["resolved", "workaround"], "escalated": ["escalated"], "unresolved": ["unresolved"]}
START = datetime(2026, 3, 1, tzinfo=UTC)

minutes = st.integers(0, 60 * 24 * 60)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40).map(str.strip)
names = st.one_of(st.none(), st.sampled_from(["VPN", "vpn", "Drucker", "O'Neil", "プリンター"]))


def iso(minute):
    return (START + timedelta(minutes=minute)).isoformat()


@st.composite
def sessions(draw):
    status = draw(st.sampled_from([*OUTCOMES, "active", "requesting_escalation", "abandoned"]))
    start, flow = draw(minutes), draw(names)
    completed = status in OUTCOMES
    fields = row(
        engineer=draw(st.sampled_from(["a@b.example", "B@b.example"])),
        status=status,
        outcome=draw(st.sampled_from(OUTCOMES[status])) if completed else None,
        started_at=iso(start),
        completed_at=iso(start + draw(minutes)) if completed else None,
        flow=flow,
        domain=draw(names),
        client=draw(names),
        problem_summary=draw(texts),
        confidence_tier=draw(st.sampled_from([None, "guided", "exploring", "discovery"])),
        confidence=draw(st.none() | st.floats(0, 1)),
        step_count=draw(st.none() | st.integers(0, 9)),
        rating=draw(st.none() | st.integers(1, 5)) if completed else None,
        decisions=[
            {"node_id": node, "title": draw(texts), "answer": draw(texts), "at": iso(draw(minutes))}
            | ({"helpful": draw(st.none() | st.booleans())} if flow and node else {})
            for node in draw(st.lists(st.sampled_from([None, "root", "n1"]), max_size=3))
        ],
        time_entries=[
            {"hours": hours / 100, "at": iso(draw(minutes))}
            for hours in draw(st.lists(st.integers(1, 9999), max_size=2))
        ],
    )
    fields["comment"] = draw(texts) if fields["rating"] else None
    return fields


files = st.lists(sessions(), min_size=1, max_size=6).map(
    lambda rows: [fields | {"external_id": f"T-{number}"} for number, fields in enumerate(rows)]
)


def check_equal(fields):
    session = Session.objects.get(external_id=fields["external_id"])
    same = ("status", "outcome", "confidence_tier", "confidence", "problem_summary")
    assert [getattr(session, name) for name in same] == [fields[name] for name in same]
    assert session.user.email == fields["engineer"].lower()
    assert session.started_at == datetime.fromisoformat(fields["started_at"])
    end = fields["completed_at"] and datetime.fromisoformat(fields["completed_at"])
    assert session.completed_at == end
    for name in ("flow", "domain", "client"):
        named = getattr(session, name)
        assert (named and named.name.lower()) == (fields[name] and fields[name].lower())
    given_decisions = [(d["node_id"], d["title"], d["answer"], d["at"]) for d in fields["decisions"]]
    stored = [
        (d["node_id"], d["title"], d["answer"], d["at"].replace("Z", "+00:00")) for d in session.decisions
    ]
    assert stored == given_decisions
    expected = fields["step_count"] if fields["step_count"] is not None else len(given_decisions)
    assert session.step_count == expected
    rating = SessionRating.objects.filter(session=session).first()
    assert (rating and (rating.rating, rating.comment, rating.created_at)) == (
        fields["rating"] and (fields["rating"], fields["comment"] or None, end)
    )
    last = {d["node_id"]: d["helpful"] for d in fields["decisions"] if d.get("helpful") is not None}
    assert (
        dict(StepRating.objects.filter(session=session).values_list("step__node_id", "was_helpful")) == last
    )
    hours = PsaActivityLog.objects.filter(session=session).order_by("external_key")
    assert [float(entry.hours_logged) for entry in hours] == [
        entry["hours"] for entry in fields["time_entries"]
    ]


def check_figures():
    for flow in Flow.objects.all():
        starts = [session.started_at for session in Session.objects.filter(flow=flow)]
        assert (flow.usage_count, flow.last_matched_at) == (len(starts), max(starts, default=None))
    for step in Step.objects.all():
        thumbs = [thumb.was_helpful for thumb in StepRating.objects.filter(step=step)]
        assert (step.helpful_yes, step.helpful_no) == (thumbs.count(True), thumbs.count(False))


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(files, files)
def test_what_is_imported_reads_back_and_again_changes_nothing(import_rows, first, second):
    with transaction.atomic():
        for rows in (first, second):  # the second file says other things about the same external ids
            assert import_rows(*rows, options=["--create-flows"]).status == 0
            for fields in rows:
                check_equal(fields)
            check_figures()
            assert import_rows(*rows).counts == (len(rows), 0, len(rows), 0, 0, 0)
        transaction.set_rollback(True)
