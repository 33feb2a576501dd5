"""What a row of a JSON Lines file becomes, and what happens to it when the file is imported again."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from flowpilot.models import Client, Domain, Flow, PsaActivityLog, Session, Step
from flowpilot.tests.factories import FlowFactory, SessionFactory
from operations.tests.conftest import row
from ratings.models import SessionRating, StepRating
from resolutionflow.models import User
from resolutionflow.tests.factories import UserFactory

FULL = row(
    flow="Mail does not arrive",
    domain="Mail",
    client="Bakery",
    confidence_tier="guided",
    confidence=0.75,
    psa_ticket_id="4711",
    rating=4,
    comment="Quick",
    decisions=[
        {
            "node_id": "root",
            "title": "Webmail?",
            "answer": "Yes",
            "at": "2026-03-10T10:05:00+01:00",
            "helpful": True,
        },
        {"node_id": "n2", "title": "Quota?", "answer": "Full", "note": "5 GB", "at": "2026-03-10T09:15:00Z"},
    ],
    time_entries=[{"hours": 0.5, "at": "2026-03-10T09:25:00Z"}],
    notes_posted=[{"at": "2026-03-10T09:26:00Z"}],
)


def at(hour, minute):
    return datetime(2026, 3, 10, hour, minute, tzinfo=UTC)


def test_every_field_arrives(import_rows):
    outcome = import_rows(FULL, options=["--create-flows"])

    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == "Read 1 = created 1 + unchanged 0 + updated 0 + rejected 0 + left out 0.\n"
    session = Session.objects.get()
    assert (session.external_id, session.source, session.psa_ticket_id) == ("T-1", "import", "4711")
    assert (session.user.email, session.user.name) == ("amira@northgate.example", "amira")
    assert (session.flow.name, session.domain.name, session.client.name) == (
        "Mail does not arrive",
        "Mail",
        "Bakery",
    )
    assert (session.status, session.outcome, session.problem_summary) == ("resolved", "resolved", "No mail")
    assert (session.confidence_tier, session.confidence) == ("guided", 0.75)
    assert (session.started_at, session.completed_at, session.last_activity_at) == (
        at(9, 0),
        at(9, 20),
        at(9, 20),
    )
    assert (session.duration_seconds, session.step_count, session.analysed_at) == (1200, 2, None)
    assert session.decisions == [
        {
            "id": "0",
            "node_id": "root",
            "title": "Webmail?",
            "answer": "Yes",
            "note": "",
            "at": "2026-03-10T09:05:00Z",
            "undone_at": None,
            "taken_over": False,
        },
        {
            "id": "1",
            "node_id": "n2",
            "title": "Quota?",
            "answer": "Full",
            "note": "5 GB",
            "at": "2026-03-10T09:15:00Z",
            "undone_at": None,
            "taken_over": False,
        },
    ]
    rating = SessionRating.objects.get()
    assert (rating.session, rating.user, rating.flow) == (session, session.user, session.flow)
    assert (rating.rating, rating.comment, rating.created_at) == (4, "Quick", at(9, 20))
    thumb = StepRating.objects.get()
    assert (thumb.step.node_id, thumb.was_helpful, thumb.created_at) == ("root", True, at(9, 5))
    assert list(
        PsaActivityLog.objects.order_by("created_at").values_list(
            "external_key", "activity_type", "hours_logged", "psa_ticket_id", "created_at", "session_id"
        )
    ) == [
        ("T-1/time_entry/0", "time_entry_posted", Decimal("0.50"), "4711", at(9, 25), session.id),
        ("T-1/note/0", "note_posted", None, "4711", at(9, 26), session.id),
    ]


def test_a_new_engineer_cannot_sign_in(import_rows, account):
    import_rows(row(engineer="Jo.Doe@Northgate.Example"))

    user = User.objects.get()
    assert (user.email, user.name, user.role, user.account) == (
        "jo.doe@northgate.example",
        "jo.doe",
        "engineer",
        account,
    )
    assert not user.has_usable_password()


def test_an_engineer_who_is_there_keeps_name_and_role(import_rows, team_admin):
    import_rows(row(engineer="LEAD@northgate.example"))

    assert Session.objects.get().user == team_admin
    assert User.objects.get().name == "Dana Whitfield"


def test_a_row_may_say_very_little(import_rows):
    outcome = import_rows(
        {"external_id": "T-1", "engineer": "a@b.example", "started_at": "2026-03-10T09:00:00Z"}
    )

    assert outcome.status == 0
    session = Session.objects.get()
    assert (session.status, session.outcome, session.completed_at, session.confidence_tier) == (
        "active",
        None,
        None,
        None,
    )
    assert (session.flow, session.domain, session.client, session.problem_summary) == (None, None, None, "")
    assert (session.decisions, session.step_count, session.psa_ticket_id) == ([], 0, None)


def test_an_outcome_without_a_status_says_the_status(import_rows):
    import_rows(row(status=None, outcome="workaround"))

    assert Session.objects.get().status == "resolved"


def test_last_activity_is_the_newest_of_all_times(import_rows):
    later = [
        {"answer": "By the way", "at": "2026-03-11T08:00:00Z"},
        {"answer": "Yes", "at": "2026-03-10T09:05:00Z"},
    ]
    import_rows(row(decisions=later))

    assert Session.objects.get().last_activity_at == datetime(2026, 3, 11, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "steps"),
    [(None, 1), (0, 0), (7, 7)],
)
def test_step_count_is_stated_or_counted_without_what_was_taken_back_or_over(import_rows, stated, steps):
    decisions = [
        {"answer": "Yes", "at": "2026-03-10T09:01:00Z"},
        {"answer": "No", "at": "2026-03-10T09:02:00Z", "undone_at": "2026-03-10T09:03:00Z"},
        {"answer": "Yes", "at": "2026-03-10T08:00:00Z", "taken_over": True},
    ]
    import_rows(row(decisions=decisions, step_count=stated))

    assert Session.objects.get().step_count == steps


def test_names_that_differ_in_case_only_are_one(import_rows):
    import_rows(
        row(external_id="1", flow="VPN", domain="Network", client="Bäckerei"),
        row(external_id="2", flow="vpn", domain="NETWORK", client="bäckerei"),
        options=["--create-flows"],
    )

    assert [client.name for client in Client.objects.all()] == ["Bäckerei"]
    assert [domain.name for domain in Domain.objects.all()] == ["Network"]
    assert [flow.name for flow in Flow.objects.all()] == ["VPN"]


@pytest.mark.parametrize(
    "name",
    [
        'O\'Neil "Q"',
        "<script>alert(1)</script>",
        "🥐🧑‍🍳",
        "מאפייה",
        '=HYPERLINK("http://x")',
        "a\\tb\\N",
        "%s {0}",
    ],
)
def test_names_in_any_script_arrive_as_they_are(import_rows, name):
    outcome = import_rows(
        row(client=name, domain=name, flow=name, problem_summary=name), options=["--create-flows"]
    )

    assert outcome.status == 0
    session = Session.objects.get()
    assert {session.client.name, session.domain.name, session.flow.name, session.problem_summary} == {name}


def test_a_new_flow_is_a_draft_in_the_domain_of_the_row_that_first_names_it(import_rows):
    import_rows(
        row(external_id="1", flow="VPN", domain="Network"),
        row(external_id="2", flow="VPN", domain="Mail"),
        options=["--create-flows"],
    )

    flow = Flow.objects.get()
    assert (flow.status, flow.domain.name, flow.current_version) == ("draft", "Network", None)
    assert {session.domain.name for session in Session.objects.all()} == {"Network", "Mail"}


def test_an_archived_flow_is_taken_only_where_no_other_bears_its_name(import_rows):
    archived = FlowFactory(name="VPN", status="archived")
    import_rows(row(external_id="1", flow="VPN"))
    used = FlowFactory(name="vpn", status="draft")
    import_rows(row(external_id="2", flow="VPN"))

    flows = dict(Session.objects.values_list("external_id", "flow_id"))
    assert flows == {"1": archived.id, "2": used.id}


def test_flows_count_their_sessions(import_rows):
    flow = FlowFactory(name="VPN")
    import_rows(
        row(external_id="1", flow="VPN", started_at="2026-03-10T09:00:00Z"),
        row(external_id="2", flow="VPN", started_at="2026-03-09T09:00:00Z"),
        row(external_id="3"),
    )
    flow.refresh_from_db()
    assert (flow.usage_count, flow.last_matched_at) == (2, at(9, 0))

    import_rows(row(external_id="1"), row(external_id="2", flow="VPN", started_at="2026-03-08T09:00:00Z"))
    flow.refresh_from_db()
    assert (flow.usage_count, flow.last_matched_at) == (1, datetime(2026, 3, 8, 9, 0, tzinfo=UTC))

    import_rows(row(external_id="2"))
    flow.refresh_from_db()
    assert (flow.usage_count, flow.last_matched_at) == (0, None)


def test_a_step_bears_the_newest_title_whatever_the_order(import_rows):
    def titled(external_id, title, day):
        decision = {"node_id": "root", "title": title, "at": f"2026-03-{day}T09:00:00Z"}
        return row(external_id=external_id, flow="VPN", decisions=[decision])

    import_rows(
        titled("1", "Old", 10), titled("2", "New", 12), titled("3", "Middle", 11), options=["--create-flows"]
    )
    assert Step.objects.get().title == "New"

    import_rows(titled("4", "Newest", 13))
    import_rows(titled("1", "Old", 10), titled("2", "New", 12), titled("3", "Middle", 11))
    assert Step.objects.get().title == "Newest"


def test_thumbs_are_counted_on_the_step_and_the_later_one_wins(import_rows):
    def thumb(helpful, minute):
        return {"node_id": "root", "title": "Ping?", "at": f"2026-03-10T09:0{minute}:00Z", "helpful": helpful}

    def counts():
        return Step.objects.values_list("helpful_yes", "helpful_no").get()

    first = row(external_id="1", flow="VPN", decisions=[thumb(True, 1), thumb(False, 2)])
    second = row(external_id="2", flow="VPN", decisions=[thumb(True, 1)])
    import_rows(first, second, options=["--create-flows"])
    assert counts() == (1, 1)

    again = import_rows(first, second)
    assert again.counts == (2, 0, 2, 0, 0, 0)
    assert counts() == (1, 1)

    import_rows(first | {"decisions": [thumb(True, 1)]}, second | {"decisions": []})
    assert counts() == (1, 0)
    assert StepRating.objects.count() == 1


def test_the_same_file_again_changes_nothing(import_rows):
    import_rows(FULL, options=["--create-flows"])
    models = (Session, SessionRating, StepRating, PsaActivityLog, Step, Flow, Client, Domain, User)
    before = [list(model.objects.order_by("id").values()) for model in models]

    outcome = import_rows(FULL)

    assert outcome.counts == (1, 0, 1, 0, 0, 0)
    assert [list(model.objects.order_by("id").values()) for model in models] == before


def test_what_the_file_no_longer_says_vanishes(import_rows):
    import_rows(FULL, options=["--create-flows"])
    session_id = Session.objects.get().id

    outcome = import_rows(row(status="escalated", outcome="escalated", engineer="new@northgate.example"))

    assert outcome.counts == (1, 0, 0, 1, 0, 0)
    session = Session.objects.get()
    assert (session.id, session.status, session.user.email) == (
        session_id,
        "escalated",
        "new@northgate.example",
    )
    assert (session.flow, session.domain, session.client, session.confidence) == (None, None, None, None)
    assert (session.decisions, session.step_count) == ([], 0)
    assert not SessionRating.objects.exists()
    assert not StepRating.objects.exists()
    assert not PsaActivityLog.objects.exists()
    assert Step.objects.get(node_id="root").helpful_yes == 0
    assert Flow.objects.get().usage_count == 0


@pytest.mark.parametrize(
    "change",
    [
        {"rating": 5},
        {"comment": None},
        {"rating": None, "comment": None},
        {"time_entries": [{"hours": 0.75, "at": "2026-03-10T09:25:00Z"}]},
        {"time_entries": None},
        {"notes_posted": [{"at": "2026-03-10T09:27:00Z"}]},
        {"psa_ticket_id": "4712"},
        {"completed_at": "2026-03-10T09:21:00Z"},
        {"confidence": 0.5},
        {"engineer": "jonas@northgate.example"},
        {"decisions": None},
    ],
)
def test_each_change_makes_the_session_equal_to_the_file(import_rows, change):
    import_rows(FULL, options=["--create-flows"])

    assert import_rows(FULL | change).counts == (1, 0, 0, 1, 0, 0)
    assert import_rows(FULL | change).counts == (1, 0, 1, 0, 0, 0)
    session = Session.objects.get()
    rating = SessionRating.objects.first()
    assert (rating.rating if rating else None) == (FULL | change)["rating"]
    assert rating is None or (rating.user, rating.created_at) == (session.user, session.completed_at)
    assert PsaActivityLog.objects.count() == len((FULL | change)["time_entries"] or []) + 1


def test_a_session_that_was_not_imported_is_never_touched(import_rows, reasons):
    SessionFactory(external_id="T-1", problem_summary="Made here", source="api")

    outcome = import_rows(row(), row(external_id="T-2"))

    assert (outcome.status, outcome.counts) == (3, (2, 1, 0, 0, 1, 0))
    assert reasons() == [(1, "The account has a session with this external_id that was not imported.")]
    assert Session.objects.get(external_id="T-1").problem_summary == "Made here"


def test_activity_that_no_import_wrote_stays(import_rows):
    import_rows(FULL, options=["--create-flows"])
    pushed = PsaActivityLog.objects.create(
        session=Session.objects.get(), activity_type="note_posted", external_key=None, created_at=at(10, 0)
    )

    assert import_rows(FULL).counts == (1, 0, 1, 0, 0, 0)
    import_rows(row())
    assert PsaActivityLog.objects.get() == pushed


def test_another_account_is_not_seen(import_rows, other_account, reasons):
    UserFactory(account=other_account, email="sam@southgate.example")

    outcome = import_rows(row(engineer="sam@southgate.example"), row(external_id="T-2"))

    assert outcome.counts == (2, 1, 0, 0, 1, 0)
    assert reasons() == [(1, "This email cannot be used in this account.")]


def test_a_rejected_row_leaves_nothing_behind(import_rows):
    import_rows(row(flow="Unknown", client="Bakery", domain="Mail"))

    assert not User.objects.exists()
    assert not Client.objects.exists()
    assert not Domain.objects.exists()
    assert not Session.objects.exists()
