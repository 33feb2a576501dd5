"""/api/v1/flows from outside: the library, one flow, and what authors put in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.flows import api, drafting, publishing
from flowpilot.models import Flow, FlowDraft
from flowpilot.tests.calling import calls
from flowpilot.tests.factories import (
    DomainFactory,
    FlowDraftFactory,
    FlowFactory,
    FlowVersionFactory,
)
from resolutionflow.models import ApiToken
from resolutionflow.tenancy import account_scope

URL = "/api/v1/flows"
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
NOBODY = UUID(int=7)


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def call(client):
    return calls(client, URL)


@pytest.fixture
def put(call):
    def put(user, flow, **body):
        return call(user, f"/{flow['id']}", {name: flow[name] for name in PUT} | body, "PUT")

    return put


PUT = ("name", "description", "domain", "kind", "structure", "revision")


def leaf(title="Done"):
    return {"id": "root", "type": "outcome", "outcome": "resolved", "title": title}


def published(name="Printer", title="Published", **facts):
    flow = FlowFactory(name=name, **facts)
    flow.current_version = FlowVersionFactory(flow=flow, structure=leaf(title))
    flow.save()
    return flow


@pytest.fixture
def author(engineer):
    engineer.can_author = True
    engineer.save()
    return engineer


def faults(answer):
    assert all(set(fault) == {"loc", "msg", "type"} and fault["msg"] for fault in answer["detail"])
    return [fault["loc"] for fault in answer["detail"]]


def test_a_flow_to_the_letter(call, engineer):
    flow = published(
        domain=DomainFactory(name="Printing"),
        description="All of them",
        usage_count=7,
        last_matched_at=NOW,
        success_rate=0.0375,
        quality_score=2 / 3,
    )
    shown = {
        "id": str(flow.id),
        "name": "Printer",
        "description": "All of them",
        "domain": "Printing",
        "kind": "troubleshooting",
        "status": "published",
        "origin": "manual",
        "version": 1,
        "structure": leaf("Published"),
        "revision": 0,
        "usage_count": 7,
        "last_matched_at": "2026-03-31T11:00:00Z",
        "success_rate": 0.038,
        "quality_score": 0.667,
    }
    assert call(engineer, f"/{flow.id}") == (200, shown)
    assert call(engineer) == (200, {"items": [shown], "next": None, "count": 1})


def test_authors_see_the_draft_and_others_what_is_published(call, engineer, team_admin):
    flow = published()
    drafting.save(flow.id, leaf("Draft"), revision=0, user=team_admin, words="x", now=NOW)
    for read in (lambda user: call(user, f"/{flow.id}")[1], lambda user: call(user)[1]["items"][0]):
        assert (read(team_admin)["structure"]["title"], read(team_admin)["revision"]) == ("Draft", 1)
        assert (read(engineer)["structure"]["title"], read(engineer)["version"]) == ("Published", 1)


def test_a_flow_that_has_nothing_yet(call, engineer, team_admin):
    flow = FlowFactory(status=Flow.Status.DRAFT)
    for read in (lambda user: call(user, f"/{flow.id}")[1], lambda user: call(user)[1]["items"][0]):
        assert (read(engineer)["structure"], read(engineer)["version"], read(engineer)["revision"]) == (
            None,
            None,
            0,
        )
        assert read(team_admin)["structure"] == drafting.first_structure()


def test_a_published_version_can_be_asked_for(call, engineer, team_admin):
    flow = published()
    drafting.save(flow.id, leaf("Second"), revision=0, user=team_admin, words="x", now=NOW)
    publishing.publish(flow.id, revision=1, user=team_admin, note="", now=NOW)
    for user in (engineer, team_admin):
        answer = call(user, f"/{flow.id}", version=1)[1]
        assert (answer["structure"]["title"], answer["version"]) == ("Published", 2)
        assert call(user, f"/{flow.id}", version=3) == (404, {"detail": "No such version"})
    for wrong in ("0", "x", "-1", str(2**31)):
        status, answer = call(engineer, f"/{flow.id}", version=wrong)
        assert (status, faults(answer)) == (422, [["query", "version"]])


def test_who_reads_a_flow(call, engineer, super_admin, stranger):
    flow = published()
    assert call(stranger, f"/{flow.id}") == (404, {"detail": "No such flow"})
    assert call(engineer, f"/{NOBODY}") == (404, {"detail": "No such flow"})
    assert call(super_admin, f"/{flow.id}") == (403, {"detail": "Name an account"})
    assert call(super_admin, f"/{flow.id}", account="northgate")[0] == 200
    assert call(stranger)[1]["items"] == []


def names(answer):
    return [item["name"] for item in answer["items"]]


def test_the_filters_of_the_library(call, engineer):
    printing = DomainFactory(name="Printing")
    published("Jam", domain=printing, title="Open the flap")
    published("Ink", origin="ai_generated")
    FlowFactory(name="New", status=Flow.Status.DRAFT)
    FlowFactory(name="Old", status=Flow.Status.ARCHIVED)

    def found(**parameters):
        return names(call(engineer, **parameters)[1])

    assert found() == ["Ink", "Jam", "New"]
    assert found(status="archived") == ["Old"]
    assert found(domain_id=str(printing.id)) == ["Jam"]
    assert found(domain_id="none") == ["Ink", "New"]
    assert found(origin="ai_generated") == ["Ink"]
    assert found(q="flap") == ["Jam"]


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"status": "gone"}, ["status"]),
        ({"domain_id": "x"}, ["domain_id"]),
        ({"domain_id": str(NOBODY)}, ["domain_id"]),
        ({"origin": "robot"}, ["origin"]),
        ({"sort": "colour"}, ["sort"]),
        ({"q": "\0"}, ["q"]),
        ({"q": "x" * 201}, ["q"]),
        ({"limit": "201"}, ["limit"]),
        ({"after": "x"}, ["after"]),
        ({"after": "\0"}, ["after"]),
        ({"status": "gone", "limit": "0", "after": "eyJ9:1"}, ["status", "limit", "after"]),
    ],
)
def test_a_bad_filter_is_named(call, engineer, parameters, where):
    published()
    status, answer = call(engineer, **parameters)
    assert status == 422
    assert faults(answer) == [["query", name] for name in where]


@pytest.mark.parametrize("sort", ["", *api.ORDERS])
@pytest.mark.parametrize("q", ["", "flow"])
def test_the_pages_together_are_the_list_in_every_order(call, engineer, sort, q):
    for number in range(7):
        FlowFactory(
            name=f"Flow {'aBäxÉ1_'[number]}",
            usage_count=number % 3,
            quality_score=None if number % 3 == 2 else 0.25 * (number % 2),
            last_matched_at=None if number % 2 else NOW - timedelta(microseconds=number % 4),
        )
    whole = names(call(engineer, sort=sort, q=q)[1])
    assert len(whole) == 7
    found, path = [], f"?limit=2&sort={sort}&q={q}"
    while path:
        status, answer = call(engineer, path)
        assert (status, answer["count"]) == (200, 7)
        found += names(answer)
        path = answer["next"]
    assert found == whole


def test_a_place_of_another_order_is_none(call, engineer):
    FlowFactory.create_batch(3)
    behind = call(engineer, limit=1)[1]["next"]
    status, answer = call(engineer, behind + "&sort=usage")
    assert (status, faults(answer)) == (422, [["query", "after"]])


def test_a_page_carries_no_more_than_its_weight_and_loses_nothing(call, team_admin, monkeypatch):
    monkeypatch.setattr(api, "PAGE_WEIGHT", 500)
    for number in range(5):
        flow = published(f"Flow {number}", "x")
        FlowDraftFactory(flow=flow, structure=leaf("".join(map(chr, range(300, 300 + 90 * number)))))
    found, sizes, path = [], [], "?limit=200"
    while path:
        _, answer = call(team_admin, path)
        found += names(answer)
        sizes.append(len(answer["items"]))
        path = answer["next"]
    assert found == [f"Flow {number}" for number in range(5)]
    assert len(sizes) > 2
    assert min(sizes) >= 1


def test_many_rows_cost_no_more_queries_than_one(client, team_admin):
    headers = {"Authorization": f"Bearer {ApiToken.issue(team_admin, 'tests')[1]}"}

    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"{URL}?limit=200", headers=headers).status_code == 200
        return len(queries)

    published("First", domain=DomainFactory())
    one = cost()
    for number in range(199):
        flow = published(f"Flow {number}", domain=DomainFactory())
        FlowDraftFactory(flow=flow)
    assert cost() == one == 5  # who asks, the domains to choose from, the flows, their structures, how many


def test_an_author_puts_a_flow_in(call, author, team_admin):
    DomainFactory(name="Printing")
    body = {
        "name": " Printer <b>&nbsp;</b> ",
        "description": "=HYPERLINK(1)",
        "domain": "printing",
        "kind": "procedural",
        "structure": leaf("Ready 🖨"),
    }
    status, answer = call(author, body=body)
    assert status == 201
    assert answer | {"id": ""} == {
        "id": "",
        "name": "Printer <b>&nbsp;</b>",
        "description": "=HYPERLINK(1)",
        "domain": "Printing",
        "kind": "procedural",
        "status": "draft",
        "origin": "manual",
        "version": None,
        "structure": leaf("Ready 🖨"),
        "revision": 1,
        "usage_count": 0,
        "last_matched_at": None,
        "success_rate": None,
        "quality_score": None,
    }
    assert call(team_admin, f"/{answer['id']}") == (200, answer)
    assert Flow.objects.get().created_by == author


def test_the_name_alone_makes_a_flow(call, team_admin):
    status, answer = call(team_admin, body={"name": "Printer"})
    assert (status, answer["structure"]) == (201, drafting.first_structure())


def test_a_super_admin_writes_in_the_account_that_the_call_names(call, super_admin, account):
    assert call(super_admin, body={"name": "Printer"}) == (403, {"detail": "Name an account"})
    assert call(super_admin, body={"name": "Printer"}, account="northgate")[0] == 201
    assert Flow.objects.get().account == account


def test_only_authors_write(call, put, engineer, stranger, other_account):
    no = (403, {"detail": "You may not change flows. A team admin can let you."})
    flow = {"id": str(published().id), "name": "X", "description": "", "domain": None, "kind": "procedural"}
    flow |= {"structure": leaf(), "revision": 0}
    assert call(engineer, body={"name": "X"}) == no
    assert call(engineer, body={}) == no
    assert put(engineer, flow) == no
    assert put(stranger, flow) == (404, {"detail": "No such flow"})
    assert Flow.objects.get().name == "Printer"
    assert FlowDraft.objects.count() == 0
    with account_scope(other_account):
        assert Flow.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["name"]),
        ({"name": " "}, ["name"]),
        ({"name": "x" * 301}, ["name"]),
        ({"name": "\0"}, ["name"]),
        ({"name": "printer"}, ["name"]),
        ({"name": "X", "description": "\0"}, ["description"]),
        ({"name": "X", "description": None}, ["description"]),
        ({"name": "X", "description": "x" * 10_001}, ["description"]),
        ({"name": "X", "domain": "Nowhere"}, ["domain"]),
        ({"name": "X", "domain": "\0"}, ["domain"]),
        ({"name": "X", "domain": ""}, ["domain"]),
        ({"name": "X", "kind": "other"}, ["kind"]),
        ({"name": "X", "structure": []}, ["structure"]),
        ({"name": "X", "structure": "x"}, ["structure"]),
    ],
)
def test_a_bad_value_is_named(call, team_admin, body, where):
    published()
    status, answer = call(team_admin, body=body)
    assert (status, faults(answer)) == (422, [["body", name] for name in where])
    assert Flow.objects.count() == 1


FAULTY = [
    ({}, []),
    (leaf("") | {"next": "x"}, ["root"]),
    (leaf("a\0b"), ["root"]),
    (leaf() | {"colour": 1.5}, ["root"]),
    ({"id": "a", "type": "action", "title": "Go", "next": "nowhere"}, ["a"]),
]


@pytest.mark.parametrize(("structure", "where"), FAULTY)
def test_a_fault_of_the_structure_names_the_node(call, put, team_admin, structure, where):
    flow = call(team_admin, body={"name": "Printer"})[1]
    for status, answer in (
        call(team_admin, body={"name": "X", "structure": structure}),
        put(team_admin, flow, structure=structure),
    ):
        assert status == 422
        for fault in answer["detail"]:
            assert fault["loc"] == ["body", "structure", *where]
            assert all(fault["msg"].startswith(f"{node}: ") for node in where)
    assert (Flow.objects.count(), FlowDraft.objects.get().revision) == (1, 1)


def test_a_put_takes_what_a_get_gave(call, put, author):
    flow = call(author, body={"name": "Printer"})[1]
    changed = flow | {"name": "Printers", "description": "All", "kind": "procedural", "structure": leaf()}
    status, answer = call(author, f"/{flow['id']}", changed, "PUT")
    assert status == 200
    assert answer == changed | {"revision": 2}
    assert call(author, f"/{flow['id']}", answer, "PUT") == (200, answer)  # the same again is no change


def test_who_puts_second_is_told(call, put, author, team_admin):
    flow = call(author, body={"name": "Printer"})[1]
    assert put(author, flow, structure=leaf("Mine"))[0] == 200
    told = put(team_admin, flow, structure=leaf("Yours"), name="Yours")
    assert told == (409, {"detail": "Somebody else changed this flow meanwhile."})
    kept = call(author, f"/{flow['id']}")[1]
    assert (kept["structure"]["title"], kept["name"], kept["revision"]) == ("Mine", "Printer", 2)


@pytest.mark.parametrize("by", ["publishing", "discarding"])
def test_a_revision_of_a_draft_that_is_gone_overwrites_no_later_one(call, put, author, team_admin, by):
    flow = call(author, body={"name": "Printer"})[1]
    if by == "publishing":
        publishing.publish(flow["id"], revision=1, user=team_admin, note="", now=NOW)
    else:
        drafting.discard(flow["id"], revision=1)
    assert put(author, flow, structure=leaf("Mine"))[0] == 409
    for _ in range(3):  # however often the later one is saved
        now = call(author, f"/{flow['id']}")[1]
        assert put(team_admin, now, structure=leaf(f"Later, {now['revision']}"))[0] == 200
        assert put(author, flow, structure=leaf("Mine"))[0] == 409
    assert FlowDraft.objects.get().structure["title"].startswith("Later")


def test_who_says_the_version_is_told_of_a_newer_one(call, put, author, team_admin):
    flow = published()
    seen = call(author, f"/{flow.id}")[1]
    drafting.save(flow.id, leaf("Newer"), revision=0, user=team_admin, words="x", now=NOW)
    publishing.publish(flow.id, revision=1, user=team_admin, note="", now=NOW)
    assert call(author, f"/{flow.id}")[1]["revision"] == seen["revision"] == 0
    assert put(author, seen, version=1, structure=leaf("Mine"))[0] == 409
    assert put(author, seen, version=None, structure=leaf("Mine"))[0] == 409
    assert put(author, seen, version=2, structure=leaf("Mine"))[0] == 200
    assert FlowDraft.objects.get().structure == leaf("Mine")


def test_another_name_makes_no_draft(call, put, author):
    flow = published()
    status, answer = put(author, call(author, f"/{flow.id}")[1], name="Printers")
    assert (status, answer["name"], answer["revision"]) == (200, "Printers", 0)
    assert FlowDraft.objects.count() == 0


def test_a_put_that_fails_changes_nothing(call, put, author):
    published("Taken")
    flow = call(author, body={"name": "Printer"})[1]
    status, answer = put(author, flow, name="taken", structure=leaf("New"))
    assert (status, faults(answer)) == (422, [["body", "name"]])
    assert call(author, f"/{flow['id']}") == (200, flow)


def test_a_put_leaves_nothing_out(call, author):
    flow = call(author, body={"name": "Printer"})[1]
    status, answer = call(author, f"/{flow['id']}", {}, "PUT")
    assert (status, faults(answer)) == (422, [["body", name] for name in PUT])


@pytest.mark.parametrize("revision", [-1, "x", None, 1.5, 2**40])
def test_a_revision_that_is_none(call, put, author, revision):
    flow = call(author, body={"name": "Printer"})[1]
    assert put(author, flow, revision=revision)[0] in (409, 422)
