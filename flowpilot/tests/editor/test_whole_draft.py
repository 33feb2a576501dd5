"""The draft as a whole: publishing, discarding, the flow's details, the preview."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.flows import publishing
from flowpilot.models import Flow, FlowDraft, FlowVersion, Session
from flowpilot.tests.editor.posting import HTMX, change, form, mark, node, url
from flowpilot.tests.factories import STARTED_AT, DomainFactory, FlowFactory
from resolutionflow.models import AuditEntry
from resolutionflow.tests.pages import read

HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }} %_"""


def test_a_draft_is_published_with_a_note(author, flow, team_admin):
    author.post(url(flow, "edit/publish/"), {"mark": mark(flow), "note": "The first"})
    change(author, flow, title="Better?", **{"option-label": ["Yes", "Not yet"]})
    page = read(author.get(url(flow, "edit/publish/")))
    assert [item.text for item in page.one("ul", class_="change-list").all("li")] == [
        "Better? Title was “Is the problem solved?”. Option “No” is called “Not yet”"
    ]
    assert "What is lost: 1 step changed." in read(author.get(url(flow, "edit/discard/"))).text
    response = author.post(url(flow, "edit/publish/"), {"mark": mark(flow), "note": HOSTILE})
    assert response.status_code == 302
    version = FlowVersion.objects.get(number=2)
    assert (version.note, version.published_by, version.structure["title"]) == (
        HOSTILE,
        team_admin,
        "Better?",
    )
    assert not FlowDraft.objects.exists()
    assert AuditEntry.objects.filter(action="flow.published").count() == 2


def test_what_somebody_else_changed_is_not_published_unseen(author, second, flow):
    seen = mark(flow)
    change(author, flow, title="Not ready")
    response = second.post(url(flow, "edit/publish/"), {"mark": seen, "note": "Go"})
    assert response.status_code == 422
    assert "Nothing is published" in read(response).text
    assert second.post(url(flow, "edit/discard/"), {"mark": seen}).status_code == 409
    assert node(flow)["title"] == "Not ready"


def test_a_discarded_draft_leaves_the_version(author, flow):
    author.post(url(flow, "edit/publish/"), {"mark": mark(flow), "note": ""})
    change(author, flow, title="Worse?")
    author.post(url(flow, "edit/discard/"), {"mark": mark(flow)})
    assert node(flow)["title"] == "Is the problem solved?"
    assert not FlowDraft.objects.exists()


def details(flow, **changes):
    now = {
        "name": flow.name,
        "description": flow.description,
        "domain": flow.domain_id or "",
        "kind": flow.kind,
    }
    return {f"initial-{name}": value for name, value in now.items()} | now | changes


def test_name_and_details_hold_at_once(author, flow):
    domain = DomainFactory(name="Mail")
    author.post(
        url(flow, "edit/flow/"), details(flow, name="Mail is late", domain=domain.id, kind="procedural")
    )
    flow.refresh_from_db()
    assert (flow.name, flow.domain, flow.kind) == ("Mail is late", domain, "procedural")
    assert AuditEntry.objects.get(action="flow.changed").detail["before"] == "Mail does not arrive"


def test_a_name_that_is_taken_is_told_in_words(author, flow):
    FlowFactory(name="Printer on fire")
    response = author.post(url(flow, "edit/flow/"), details(flow, name="PRINTER ON FIRE"))
    assert response.status_code == 422
    assert "A flow with this name exists already." in read(response).text
    for bad in ({"name": ""}, {"name": "x\0"}, {"name": "x" * 301}, {"kind": "other"}, {"domain": "x"}):
        assert author.post(url(flow, "edit/flow/"), details(flow, **bad)).status_code == 422, bad


def test_a_name_that_somebody_else_gave_meanwhile_is_told(author, flow):
    sent = details(flow, name="Mine")
    Flow.objects.filter(id=flow.id).update(name="Theirs", description="New")
    response = author.post(url(flow, "edit/flow/"), sent)
    assert response.status_code == 422
    assert "Somebody else changed this to “Theirs” meanwhile." in read(response).text
    flow.refresh_from_db()
    assert (flow.name, flow.description) == ("Theirs", "New")
    again = {
        field.attributes["name"]: field.attributes.get("value", "") for field in read(response).all("input")
    }
    author.post(url(flow, "edit/flow/"), sent | {"initial-name": again["initial-name"]})
    flow.refresh_from_db()
    assert (flow.name, flow.description) == ("Mine", "New")


def test_the_preview_walks_and_records_nothing(author, flow):
    page = read(author.get(url(flow, "edit/preview/")))
    ways = page.all("a", class_="choice")
    assert [way.text for way in ways] == ["Yes", "No"]
    assert "The flow begins here." in page.text
    assert "This preview began here." in read(author.get(url(flow, "edit/preview/"), {"p": "solved"})).text
    page = read(author.get(url(flow, "edit/preview/") + ways[1].href))
    assert "The session ends here and proposes: Escalated" in page.text
    assert page.one("ol", class_="timeline").text == "Is the problem solved? No"
    assert author.get(url(flow, "edit/preview/"), {"p": ["gone", "\0", "x" * 500]}).status_code == 200
    assert not Session.objects.exists()


def test_a_long_flow_costs_no_more_statements(author, flow, team_admin):
    steps = [
        {"id": f"s{n}", "type": "action", "title": f"Step {n}", "next": f"s{n + 1}"} for n in range(1, 199)
    ]
    end = {"id": "s199", "type": "outcome", "outcome": "resolved", "title": "Done"}
    root = {"id": "s0", "type": "action", "title": "Step 0", "next": "s1", "children": [*steps, end]}
    long = publishing.create(name="Long", user=team_admin, now=STARTED_AT, structure=root)
    counts = []
    for which, id in ((flow, "start"), (long, "s7")):
        author.get(url(which))
        with CaptureQueriesContext(connection) as page:
            author.get(url(which))
        data = form(which, id, title="New")
        with CaptureQueriesContext(connection) as save:
            author.post(url(which, "edit/change/"), data, headers=HTMX)
        counts.append((len(page), len(save)))
    assert counts[0] == counts[1]
