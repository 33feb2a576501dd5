"""The stand-in for ConnectWise by itself: it must be as strict as the real one, or tests against it prove little."""

import os
import re
import signal
import subprocess
import sys

import httpx
import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from flowpilot.psa.stand_in.conditions import BadCondition, parse
from flowpilot.psa.stand_in.connectwise import FIELDS
from flowpilot.psa.stand_in.faults import Fault

ENTRY = {
    "chargeToId": 5000,
    "chargeToType": "ServiceTicket",
    "timeStart": "2026-01-05T14:00:00Z",
    "timeEnd": "2026-01-05T15:00:00Z",
}


@pytest.fixture
def call(stand_in):
    """A call of the API by its path, signed in."""
    credentials = stand_in.provider()._api.credentials
    signed = {"Authorization": credentials.authorization, "clientId": credentials.client_id}

    def ask(method, path, *, headers=None, **options):
        url = f"{stand_in.url}/v4_6_release/apis/3.0{path}"
        return stand_in.http.request(method, url, headers=signed | (headers or {}), **options)

    return ask


def test_it_wants_both_keys_and_client_id(call):
    assert call("GET", "/system/info").json()["version"].startswith("v2025.1")
    assert call("GET", "/system/info", headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert call("GET", "/system/info", headers={"clientId": "mine"}).status_code == 401


def test_an_unknown_company_is_null(stand_in):
    answer = stand_in.http.get(f"{stand_in.url}/login/companyinfo/nobody")
    assert (answer.status_code, answer.json()) == (200, None)


def test_two_kinds_of_404(call):
    assert call("GET", "/service/nothing").json()["message"] == "The endpoint does not exist."
    assert call("GET", "/service/tickets/99").json()["code"] == "NotFound"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"timeStart": None}, "timeStart"),
        ({"timeStart": "2026-01-05T14:00:00.123Z"}, "timeStart"),
        ({"timeStart": "[2026-01-05T14:00:00Z]"}, "timeStart"),
        ({"timeStart": "2026-02-30T14:00:00Z"}, "timeStart"),
        ({"timeEnd": "2026-01-05T13:00:00Z"}, "timeEnd"),
        ({"actualHours": 25}, "actualHours"),
        ({"workRole": {"id": 23}}, "workRole"),
        ({"workType": {"id": 33}}, "workType"),
        ({"billableOption": "Maybe"}, "billableOption"),
        ({"chargeToId": 5005}, "chargeToId"),
        ({"member": {"identifier": "jonas.weber@northgate.example"}}, "member"),
    ],
)
def test_time_entries_are_checked(call, changes, field):
    answer = call("POST", "/time/entries", json=ENTRY | changes)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_references_come_back_expanded_and_unknown_fields_are_ignored(call):
    made = call("POST", "/time/entries", json=ENTRY | {"colour": "green"}).json()
    assert made["workRole"] == {"id": 21, "name": "Engineer"}
    assert made["actualHours"] == 1.0
    assert "colour" not in made
    assert call("GET", f"/time/entries/{made['id']}").json() == made


@pytest.mark.parametrize("text", ["", "  ", None, 5])
def test_a_note_has_text(call, text):
    answer = call("POST", "/service/tickets/5000/notes", json={"text": text, "internalAnalysisFlag": True})
    assert answer.json()["errors"][0]["code"] == "MissingRequiredField"


def test_a_patch_is_an_array_and_a_part_of_a_reference_changes_nothing(call):
    change = {"op": "replace", "path": "status", "value": {"id": 102}}
    assert call("PATCH", "/service/tickets/5000", json=change).status_code == 400
    part = call("PATCH", "/service/tickets/5000", json=[change | {"path": "status/id", "value": 102}])
    assert (part.status_code, part.json()["status"]["name"]) == (200, "New")
    assert call("PATCH", "/service/tickets/5000", json=[change | {"path": "Status"}]).status_code == 400
    assert call("PATCH", "/service/tickets/5000", json=[change]).json()["status"]["name"] == "In Progress"


def test_another_boards_status_is_refused_unless_switched(call, stand_in):
    change = [{"op": "replace", "path": "status", "value": {"id": 202}}]
    assert call("PATCH", "/service/tickets/5000", json=change).status_code == 400
    stand_in.admin("switches", {"foreign_status_accepted": True})
    assert call("PATCH", "/service/tickets/5000", json=change).status_code == 200


def test_pages_name_their_neighbours(call):
    first = call("GET", "/service/tickets", params={"pageSize": 4, "page": 1})
    assert re.findall(r'page=(\d).*?rel="(\w+)"', first.headers["link"]) == [("2", "next"), ("3", "last")]
    middle = call("GET", "/service/tickets", params={"pageSize": 4, "page": 2}).headers["link"]
    assert re.findall(r'rel="(\w+)"', middle) == ["first", "prev", "next", "last"]
    forward = {"pagination-type": "forward-only"}
    walked = call("GET", "/service/tickets", params={"pageSize": 4, "pageId": 5003}, headers=forward)
    assert [row["id"] for row in walked.json()] == [5004, 5005, 5006, 5007]
    assert "pageId=5007" in walked.headers["link"]
    last = call("GET", "/service/tickets", params={"pageSize": 4, "pageId": 5007}, headers=forward)
    assert last.headers["link"] == ""
    refused = call("GET", "/service/tickets", params={"pageId": 1, "orderBy": "id"}, headers=forward)
    assert refused.status_code == 400


def test_search_and_count_know_the_same_conditions(call):
    asked = {"conditions": 'company/name="Harbour Dental Group" and closedFlag=false'}
    found = call("POST", "/service/tickets/search", json=asked).json()
    assert [row["id"] for row in found] == [5000, 5001, 5006, 5007]
    assert call("GET", "/service/tickets/count", params=asked).json() == {"count": 4}


def test_callbacks_are_unique(call):
    body = {"description": "x", "url": "https://example.com/?recordId=", "type": "ticket", "level": "owner"}
    assert call("POST", "/system/callbacks", json=body).status_code == 201
    assert call("POST", "/system/callbacks", json=body).json()["errors"][0]["code"] == "ObjectExists"


def test_the_ledger_counts_each_marker_and_reset_forgets(call, stand_in):
    body = {"text": "x Ref RF-7K3M9Q2XT4WPA", "internalAnalysisFlag": True}
    for _ in range(2):
        call("POST", "/service/tickets/5000/notes", json=body)
    assert stand_in.ledger()["markers"] == {"RF-7K3M9Q2XT4WPA": 2}
    stand_in.admin("reset")
    assert stand_in.ledger() == {"requests": [], "commits": [], "markers": {}}
    assert call("GET", "/service/tickets/5000/notes").json() == []


def test_more_tickets_can_be_seeded(call, stand_in):
    ticket = {"id": 7777, "summary": "From the demo", "company": "Harbour Dental Group"}
    stand_in.admin("seed", {"tickets": [ticket, {"summary": "Another", "company": "New Client"}]})
    stand_in.admin("seed", {"tickets": [ticket]})
    assert call("GET", "/service/tickets/7777").json()["company"]["name"] == "Harbour Dental Group"
    assert call("GET", "/service/tickets/7778").json()["company"]["name"] == "New Client"


def test_a_wrong_fault_is_refused(stand_in):
    answer = stand_in.http.post(f"{stand_in.url}/__admin/faults", json={"fault": "gremlins"})
    assert answer.status_code == 422
    assert Fault.from_json({"fault": "429(7)", "match": {"method": "POST"}}).retry_after == 7


ROW = {
    "id": 7,
    "summary": "Printer is 'stuck'",
    "closedFlag": False,
    "board": {"id": 1, "name": "Help Desk"},
    "status": {"id": 101, "name": "New"},
    "company": {"id": 3, "name": "Acme", "identifier": "acme"},
}


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ("id=7", True),
        ("id != 7", False),
        ("id>=7 and id<8", True),
        ('summary contains "PRINTER"', True),
        ('summary not contains "printer"', False),
        ("summary like \"%'stuck'\"", True),
        ("board/name = 'help desk' and closedFlag = false", True),
        ("id in (1, 2, 7)", True),
        ("id not in (1, 2)", True),
        ("id=1 or id=2 and id=7", False),
        ("(id=1 or id=7) and status/name='New'", True),
        ("company/name = null", False),
    ],
)
def test_conditions(conditions, holds):
    assert parse(conditions, FIELDS["tickets"])(ROW) is holds


def test_moments_are_compared_as_such():
    holds = parse("timeStart > [2026-01-05T13:59:59Z]", FIELDS["entries"])
    assert holds({"timeStart": "2026-01-05T14:00:00Z"})
    assert not holds({"timeStart": "2026-01-05T13:00:00Z"})


@pytest.mark.parametrize(
    "conditions",
    [
        "colour='red'",
        "id",
        "id=",
        "id='7'",
        "summary=7",
        "id=7 id=8",
        "(id=7",
        "id in ()",
        "summary contains",
        'summary contains "a"b"',
        "id between 1 and 2",
        "closedFlag > null",
        "timeStart=[yesterday]",
        "(" * 3000 + "id=7" + ")" * 3000,
    ],
)
def test_what_cannot_be_read_fails_loudly(conditions):
    with pytest.raises(BadCondition):
        parse(conditions, FIELDS["tickets"])


def test_a_bad_condition_is_a_400_with_its_code(call):
    answer = call("GET", "/service/tickets", params={"conditions": "colour='red'"})
    assert (answer.status_code, answer.json()["code"]) == (400, "ApiFindCondition")


numbers = st.integers(min_value=-5, max_value=5)
comparisons = st.tuples(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), numbers)
PLAIN = {"=": "==", "!=": "!="}


@given(
    st.recursive(
        comparisons, lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner), max_leaves=8
    ),
    numbers,
)
@settings(max_examples=150)
def test_conditions_mean_what_python_means(tree, value):
    def written(node, name, signs):
        if len(node) == 2:
            return f"({name}{signs.get(node[0], node[0])}{node[1]})"
        return f"({written(node[0], name, signs)} {node[1]} {written(node[2], name, signs)})"

    expected = eval(written(tree, "value", PLAIN), {"value": value})
    assert parse(written(tree, "id", {}), FIELDS["tickets"])({"id": value}) is expected


@given(st.text(alphabet="id=<>'\"[]()7 andornotcontainssummary,%*/\\\n", max_size=60))
@settings(max_examples=150)
def test_any_text_is_a_condition_or_a_bad_one(text):
    """Never all rows by accident: whatever is read asks for a field."""
    try:
        holds = parse(text, FIELDS["tickets"])(ROW)
    except BadCondition:
        return
    assert holds in {True, False}
    assert "id" in text or "summary" in text


def test_the_command_serves_until_it_is_told_to_stop():
    command = [sys.executable, "manage.py", "psa_stand_in"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=django_settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
            assert "northgate" in process.stdout.readline()
            assert (
                httpx.get(f"{url}/login/companyinfo/northgate", trust_env=False).json()["Codebase"]
                == "v2025_1/"
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
