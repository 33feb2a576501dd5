"""The incident event log: the first 300 incidents of the real one, and small logs written for one question each.

The expected figures of the 300 were counted in the file itself with awk.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db.models import Count, Sum

from flowpilot.models import Client, Domain, Flow, Session
from operations.importing.formats.servicenow import email_of
from resolutionflow.models import User

LOG = Path(__file__).parent / "data" / "incidents.csv.gz"
HEADER = (
    "number,incident_state,reassignment_count,reopen_count,opened_at,sys_updated_at,location,category,subcategory,"
    "u_symptom,assigned_to,knowledge,resolved_by,resolved_at,closed_at"
)
# number, state, reassigned, reopened, opened, updated, location, category, subcategory, symptom, assigned, knowledge,
# resolved by, resolved, closed
NEW = "INC1,New,0,0,1/3/2016 09:05,1/3/2016 09:06,Loc,Cat,Sub,Sym,Ann,true,Bob,?,3/3/2016 10:00"
ACTIVE = NEW.replace("New", "Active").replace("09:06", "09:07")
CLOSED = NEW.replace("New", "Closed").replace("1/3/2016 09:06", "3/3/2016 10:00")


@pytest.fixture
def import_log(import_file, tmp_path):
    def run(*lines, options=()):
        path = tmp_path / "in.csv"
        path.write_text("".join(f"{line}\n" for line in (HEADER, *lines)))
        return import_file(path, "--format=servicenow", *options)

    return run


def test_the_real_log(import_file):
    outcome = import_file(LOG, "--format=servicenow")

    assert (outcome.status, outcome.counts) == (0, (300, 300, 0, 0, 0, 0))
    outcomes = Session.objects.values("outcome").annotate(n=Count("id")).values_list("outcome", "n")
    assert dict(outcomes) == {"resolved": 161, "escalated": 135, "unresolved": 4}
    assert Session.objects.filter(confidence_tier="guided", flow__isnull=False).count() == 291
    assert Session.objects.filter(confidence_tier="discovery", flow=None).count() == 9
    assert Session.objects.aggregate(n=Sum("step_count"))["n"] == 837
    assert (
        Session.objects.exclude(source="import").count()
        == Session.objects.filter(analysed_at=None).count()
        == 0
    )
    assert (Flow.objects.count(), Client.objects.count(), Domain.objects.count()) == (70, 48, 26)
    assert User.objects.count() == 107
    assert Flow.objects.get(name="Category 9 / Subcategory 164").usage_count == 24
    busiest = User.objects.get(name="Resolved by 208")
    assert Session.objects.filter(user=busiest).count() == 25
    assert busiest.email == "resolved-by-208@northgate.invalid"

    session = Session.objects.get(external_id="INC0000045")
    assert (session.psa_ticket_id, session.client.name, session.domain.name) == (
        "INC0000045",
        "Location 143",
        "Category 55",
    )
    assert session.problem_summary == "Symptom 72 / Subcategory 170"
    assert session.flow.name == "Category 55 / Subcategory 170"
    assert session.flow.domain.name == "Category 55"
    assert (session.status, session.outcome, session.user.name) == ("resolved", "resolved", "Resolved by 149")
    assert session.started_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
    assert session.completed_at == datetime(2016, 2, 29, 11, 29, tzinfo=UTC)
    assert [(decision["answer"], decision["at"]) for decision in session.decisions] == [
        ("Resolved", "2016-02-29T08:53:00Z"),
        ("Closed", "2016-03-05T12:00:00Z"),
    ]
    assert session.decisions[0]["title"] == "Incident state"
    assert session.decisions[0]["node_id"] is None

    again = import_file(LOG, "--format=servicenow")
    assert again.counts == (300, 0, 300, 0, 0, 0)


def test_the_last_row_says_the_facts_and_the_changes_of_state_are_the_decisions(import_log):
    import_log(NEW, NEW, ACTIVE, CLOSED.replace("Closed,0,0", "Closed,2,0"))

    session = Session.objects.get()
    assert (session.outcome, session.user.name, session.user.email) == (
        "escalated",
        "Ann",
        "ann@northgate.invalid",
    )
    assert session.completed_at == datetime(2016, 3, 3, 10, 0, tzinfo=UTC)
    assert [decision["answer"] for decision in session.decisions] == ["Active", "Closed"]


@pytest.mark.parametrize(
    ("change", "engineer"),
    [(("Ann", "Ann"), "Ann"), (("Ann", "?"), "Bob"), (("Ann,true,Bob", "?,true,?"), "Unassigned")],
)
def test_who_the_engineer_is(import_log, change, engineer):
    import_log(NEW.replace(*change))

    assert Session.objects.get().user.name == engineer


@pytest.mark.parametrize(
    ("change", "tier", "flow", "domain", "summary"),
    [
        (("?", "?"), "guided", "Cat / Sub", "Cat", "Sym / Sub"),
        (("true", "false"), "discovery", None, "Cat", "Sym / Sub"),
        (("Cat,", "?,"), "discovery", None, None, "Sym / Sub"),
        (("Sub,", "?,"), "discovery", None, "Cat", "Sym"),
        (("Sub,Sym,", "Sub,?,"), "guided", "Cat / Sub", "Cat", "Sub"),
        (("Sub,Sym,", "?,?,"), "discovery", None, "Cat", ""),
    ],
)
def test_tier_flow_domain_and_problem(import_log, change, tier, flow, domain, summary):
    import_log(NEW.replace(*change))

    session = Session.objects.get()
    assert (session.confidence_tier, session.flow and session.flow.name) == (tier, flow)
    assert (session.domain and session.domain.name, session.problem_summary) == (domain, summary)


@pytest.mark.parametrize(
    ("counts", "outcome", "status"),
    [
        ("0,0", "resolved", "resolved"),
        ("3,0", "escalated", "escalated"),
        ("3,1", "unresolved", "unresolved"),
        ("0,1", "unresolved", "unresolved"),
    ],
)
def test_outcomes(import_log, counts, outcome, status):
    import_log(NEW.replace("New,0,0", f"New,{counts}"))

    session = Session.objects.get()
    assert (session.outcome, session.status) == (outcome, status)


@pytest.mark.parametrize(
    ("rows", "line", "sentence"),
    [
        ([NEW, ACTIVE.replace("INC1,Active,0", "INC1,Active"), CLOSED], 3, "The line has 14 cells, the header has 15."),
        ([NEW.replace("INC1,New,0", "INC1,New"), CLOSED], 2, "The line has 14 cells, the header has 15."),
        ([NEW, ACTIVE.replace("Loc", '"Loc'), CLOSED], 3, "The quotation marks of the line do not pair up."),
        ([NEW.replace("3/3/2016", "1/3/2016").replace("10:00", "09:04")], 2, "completed_at is before started_at."),
        ([NEW.replace("1/3/2016 09:05", "31/2/2016 09:05")], 2, "The opening is no time in the format of the mapping: 31/2/2016 09:05"),  # noqa: E501
        ([NEW.replace("1/3/2016 09:05", "2016-03-01")], 2, "The opening is no time in the format of the mapping: 2016-03-01"),  # noqa: E501
        ([NEW.replace("1/3/2016 09:05", "?")], 2, "The time of the opening is missing."),
        ([NEW.replace("3/3/2016 10:00", "?")], 2, "A session with the status resolved needs completed_at."),
        ([NEW, ACTIVE.replace("1/3/2016 09:07", "soon")], 3, "Line 3: the time of the change is no time in the format of the mapping: soon"),  # noqa: E501
        ([NEW.replace("New,0,0", "New,0,many")], 2, "reopen_count has to be a number, not many."),
        ([NEW.replace("INC1", "?")], 2, "The number of the incident is missing."),
        ([NEW.replace("Loc", "L" * 201)], 2, "The client is longer than 200 characters."),
        ([NEW.replace("1/3/2016 09:05", "1/3/1016 09:05")], 2, "The opening is not between the years 1970 and 2100."),
    ],
)  # fmt: skip
def test_a_bad_incident_is_rejected_as_a_whole_and_alone(import_log, reasons, rows, line, sentence):
    good = NEW.replace("INC1", "INC2"), CLOSED.replace("INC1", "INC2")

    outcome = import_log(*rows, *good)

    assert (outcome.status, outcome.counts) == (3, (2, 1, 0, 0, 1, 0))
    assert reasons("in.csv") == [(line, sentence)]
    assert Session.objects.get().external_id == "INC2"


def test_a_row_without_a_number_does_not_cut_the_incident_around_it(import_log, reasons):
    outcome = import_log(NEW, "?", ACTIVE, CLOSED)

    assert outcome.counts == (2, 1, 0, 0, 1, 0)
    assert reasons("in.csv") == [(3, "The line has 1 cell, the header has 15.")]
    assert Session.objects.get().step_count == 2


def test_rows_of_an_incident_that_stand_apart_are_rejected(import_log, reasons):
    outcome = import_log(NEW, NEW.replace("INC1", "INC2"), CLOSED)

    assert outcome.counts == (3, 2, 0, 0, 1, 0)
    sentence = "INC1 is in line 2 already. The rows of an incident have to stand together."
    assert reasons("in.csv") == [(4, sentence)]


def test_analysed_at_is_the_moment_of_the_first_import(import_log):
    import_log(NEW)
    first = Session.objects.get().analysed_at
    import_log(NEW)

    assert Session.objects.get().analysed_at == first is not None


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Resolver 13", "resolver-13@acme.invalid"),
        ("José  Ñandú", "jose-nandu@acme.invalid"),
        # what no address can hold is named by the first 8 digits of its sha256
        ("山田", "5f34cd83@acme.invalid"),
        ("x" * 200, f"{'x' * 50}-aa20c23e@acme.invalid"),
    ],
)
def test_the_address_that_stands_for_a_name(name, email):
    assert email_of(name, "acme") == email


def test_an_incident_of_endless_rows_is_rejected(import_log, monkeypatch, tmp_path):
    monkeypatch.setattr("operations.importing.formats.servicenow.MOST_ROWS", 2)
    outcome = import_log(NEW, ACTIVE, CLOSED, CLOSED.replace("INC1", "INC2"))

    assert outcome.counts == (2, 1, 0, 0, 1, 0)
    assert "has more than 2 rows" in (tmp_path / "in.csv.rejected.csv").read_text()
