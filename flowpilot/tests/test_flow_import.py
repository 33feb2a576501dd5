"""The page that imports a flow: into a new one or a draft, and what it says of a faulty file."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from flowpilot.flows import drafting
from flowpilot.flows.undoing import restored
from flowpilot.models import DraftChange, Flow, FlowDraft
from flowpilot.tests.factories import DomainFactory, FlowDraftFactory, FlowFactory
from flowpilot.tests.structures import leaf, question
from resolutionflow.models import AuditEntry
from resolutionflow.tests.pages import read

URL = "/flows/import/"
GOOD = question("ask", "a", "b", children=[leaf("a"), leaf("b")])
FAULTY = question("ask", "gone", "a", title="Is it on?", children=[leaf("a")])


def text_of(structure=GOOD, **more):
    return json.dumps({"name": "From a file", "structure": structure} | more)


@pytest.fixture
def author(client, team_admin):
    client.force_login(team_admin)
    return client


def post(client, text="", **more):
    return client.post(URL, {"text": text} | more)


def report(response):
    assert response.status_code == 422
    section = read(response).one("section", aria_label="Report")
    return section.one("h2").text, [line.text for line in section.all("li")]


def test_json_becomes_a_new_flow(author, team_admin, account):
    content = text_of(description="Why", domain="printing", kind="procedural")
    domain = DomainFactory(name="Printing")
    response = post(author, content)
    flow = Flow.objects.get()
    assert response["Location"] == f"/flows/{flow.id}/"
    assert (flow.name, flow.description, flow.domain, flow.kind) == (
        "From a file",
        "Why",
        domain,
        "procedural",
    )
    assert (flow.status, flow.created_by) == ("draft", team_admin)
    assert FlowDraft.objects.get(flow=flow).structure == GOOD
    entry = AuditEntry.objects.get(action="flow.imported")
    assert (entry.actor, entry.account, entry.object) == (team_admin, account, "From a file")
    assert (
        "3 steps imported as a draft"
        in read(author.get(response["Location"])).one("div", class_="toasts").text
    )


def test_a_domain_that_is_not_there_is_made(author):
    post(author, text_of(domain="  Printing   and scanning "))
    assert Flow.objects.get().domain.name == "Printing and scanning"


def test_mermaid_from_a_file_under_a_name_of_ones_own(author):
    chart = b"flowchart TD\n ask{It?} -->|Yes| done([Done]):::resolved\n ask -- No --> up[Escalate]"
    response = author.post(URL, {"file": SimpleUploadedFile("flow.mmd", chart), "name": "Mine"}, follow=True)
    flow = Flow.objects.get()
    assert flow.name == "Mine"
    assert [option["label"] for option in FlowDraft.objects.get().structure["options"]] == ["Yes", "No"]
    assert "“Escalate” is taken for the outcome escalated" in read(response).one("div", class_="toasts").text


def test_into_the_draft_of_a_flow_that_there_is(author, team_admin):
    flow = FlowFactory(name="Kept", status="draft")
    draft = FlowDraftFactory(flow=flow, structure=leaf("old"))
    page = read(author.get(f"{URL}?flow={flow.id}"))
    (chosen,) = [option for option in page.one("select").all("option") if "selected" in option.attributes]
    assert chosen.text == "Draft of Kept"
    post(author, text_of(), into=str(flow.id))
    assert list(Flow.objects.values_list("name", flat=True)) == ["Kept"]
    draft.refresh_from_db()
    assert (draft.structure, draft.revision, draft.edited_by) == (GOOD, 2, team_admin)
    assert restored(DraftChange.objects.get(), GOOD) == leaf("old")
    assert AuditEntry.objects.get(action="flow.imported").detail == {"into": "its draft"}


def test_a_draft_that_somebody_saves_meanwhile_is_left_alone(author, monkeypatch):
    draft = FlowDraftFactory(structure=leaf("old"))

    def stale(*args, **kwargs):
        raise drafting.Stale(draft)

    monkeypatch.setattr(drafting, "save", stale)
    response = post(author, text_of(), into=str(draft.flow_id))
    assert response.status_code == 422
    assert "Somebody saved this draft just now." in read(response).one("div", role="alert").text


def test_faults_are_named_with_their_step_and_may_be_imported_although(author):
    response = post(author, text_of(FAULTY), name="Faulty")
    title, lines = report(response)
    assert title == "1 fault to mend before it can be published"
    assert lines == ["Is it on? (ask): Option 1 leads to a step that does not exist: gone"]
    assert Flow.objects.count() == 0
    page = read(response)
    assert page.one("textarea").text == " ".join(text_of(FAULTY).split())
    assert page.one("input", name="name").attributes["value"] == "Faulty"
    button = page.one("button", name="anyway")
    assert button.text == "Import as a draft with its faults"
    response = post(author, text_of(FAULTY), name="Faulty", anyway="on")
    assert response.status_code == 302
    assert FlowDraft.objects.get().structure == FAULTY


def test_what_cannot_be_kept_is_refused_and_comes_back(author):
    for text, fault in (
        ('{"structure":\n}', "Line 2, column 1: this is no JSON (Expecting value)."),
        ("flowchart TD\n a[", "Line 2: “]” is missing after the text."),
        (text_of(leaf(id="")), "The id is missing."),
        (text_of(leaf(title="\0")), "solved: A text has characters that cannot be stored."),
        (text_of(leaf(title="\ud800")), "solved: A text has characters that cannot be stored."),
        ("[" * 100_000, "The JSON is nested too deeply."),
    ):
        response = post(author, text, anyway="on")
        assert report(response) == ("Not imported: 1 fault", [fault])
        page = read(response)
        assert page.one("textarea").text == " ".join(text.split())
        assert page.all("button", name="anyway") == []
    assert Flow.objects.count() == 0


def test_a_refused_file_comes_back_as_text(author):
    response = author.post(URL, {"file": SimpleUploadedFile("a.json", b'{"a":\0 <script>}')})
    assert report(response)[0] == "Not imported: 1 fault"
    assert read(response).one("textarea").text == '{"a":� <script>}'
    assert b"<script>}" not in response.content


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\xff\xfe{}", "Line 1: this is no UTF-8 text. Save the file as UTF-8."),
        (b"x" * 10_000_000, "The file has more than 2 MB."),
    ],
)
def test_what_is_no_text_or_too_large_is_refused(author, content, fault):
    assert report(author.post(URL, {"file": SimpleUploadedFile("a.json", content)}))[1] == [fault]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Choose a file or paste a text."),
        ({"text": "a\0b"}, "Null characters are not allowed."),
        ({"text": "{}", "into": "x"}, "Enter a valid UUID."),
        ({"text": "{}", "into": "0190a000-0000-7000-8000-000000000000"}, "Choose one of the flows."),
        ({"text": text_of(name="")}, "The file says no name: give the flow one."),
        ({"text": text_of(name="x" * 301)}, "Ensure this value has at most 300 characters (it has 301)."),
        (
            {"text": text_of(), "name": "x" * 301},
            "Ensure this value has at most 300 characters (it has 301).",
        ),
        ({"text": text_of(), "name": "taken"}, "A flow with this name exists already."),
        ({"text": text_of(domain="x" * 201)}, "Ensure this value has at most 200 characters (it has 201)."),
    ],
)
def test_a_field_at_fault_says_so(author, fields, message):
    FlowFactory(name="Taken")
    response = author.post(URL, fields)
    assert response.status_code == 422
    assert message in read(response).one("div", role="alert").text
    assert Flow.objects.count() == 1


def test_an_archived_flow_takes_nothing(author):
    flow = FlowFactory(status="archived")
    assert post(author, text_of(), into=str(flow.id)).status_code == 422
    assert FlowDraft.objects.count() == 0


def test_a_hostile_flow_is_text(author):
    title = "<script>alert(1)</script> 😀 עברית =HYPERLINK()"
    response = author.post(
        URL, {"text": text_of(leaf(title=title), name=title, description=title)}, follow=True
    )
    assert read(response).one("h1").text == title
    assert b"<script>alert" not in response.content


def test_only_authors_import(client, engineer, stranger, account):
    client.force_login(engineer)
    assert client.get(URL).status_code == 403
    assert post(client, text_of()).status_code == 403
    engineer.can_author = True
    engineer.save()
    assert client.get(URL).status_code == 200
    flow = FlowFactory()
    client.force_login(stranger)
    assert post(client, text_of(), into=str(flow.id)).status_code == 422
    assert FlowDraft.objects.count() == 0
