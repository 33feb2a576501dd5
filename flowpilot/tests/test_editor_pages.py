"""The editor's pages: who may edit, what a save does and says, two authors at once, publishing, the preview."""

import threading
from copy import deepcopy

import pytest
from django.db import connection, connections
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from flowpilot.flows import drafting, publishing
from flowpilot.flows.editor import saving
from flowpilot.flows.structure import nodes_of
from flowpilot.models import DraftChange, Flow, FlowDraft, FlowVersion, Session
from flowpilot.tests.factories import STARTED_AT, DomainFactory, FlowFactory
from resolutionflow.models import AuditEntry
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import SuperAdminFactory, TeamAdminFactory
from resolutionflow.tests.pages import read

HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }} %_"""
NAMES = [
    "edit/",
    "edit/flow/",
    "edit/publish/",
    "edit/discard/",
    "edit/preview/",
    "edit/ask/delete/",
    "edit/ask/move/",
]
POSTS = ["edit/change/", "edit/undo/", "edit/merge/", "edit/flow/", "edit/publish/", "edit/discard/"]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def flow(team_admin):
    return publishing.create(name="Mail does not arrive", user=team_admin, now=STARTED_AT)


@pytest.fixture
def author(client, team_admin):
    client.force_login(team_admin)
    return client


def url(flow, rest="edit/"):
    return f"/flows/{flow.id}/{rest}"


def draft_of(flow):
    return drafting.draft_of(Flow.objects.get(id=flow.id))


def mark(flow):
    return saving.mark_of(saving.opened(Flow.objects.select_related("current_version").get(id=flow.id)))


def node(flow, id="start"):
    return next(node for node in nodes_of(draft_of(flow).structure) if node["id"] == id)


def form(flow, id="start", **changes):
    """The fields of a step's form as the page has them."""
    step = node(flow, id)
    data = {"mark": mark(flow), "step": id, "act": "", "title": step["title"], "help": step.get("help", "")}
    if step["type"] == "question":
        data["option-label"] = [option["label"] for option in step["options"]]
        data["option-next"] = [option["next"] for option in step["options"]]
    elif step["type"] == "action":
        data["next"] = step["next"]
        if "script" in step:
            data |= {"script-shell": step["script"]["shell"], "script-text": step["script"]["text"]}
    else:
        data["outcome"] = step["outcome"]
    return data | changes


def change(browser, flow, id="start", htmx=True, **changes):
    headers = HTMX if htmx else {}
    return browser.post(url(flow, "edit/change/"), form(flow, id, **changes), headers=headers)


def titles(page):
    return [row.text for row in page.one("ol", id="outline").all("span", class_="t")]


# Who


def test_it_is_for_authors(client, flow, engineer, colleague, stranger):
    for rest in NAMES:
        assert client.get(url(flow, rest)).headers["Location"].startswith("/accounts/login/")
    client.force_login(engineer)
    for rest in NAMES:
        assert client.get(url(flow, rest)).status_code == 403
    for rest in POSTS:
        assert client.post(url(flow, rest), form(flow)).status_code == 403
    colleague.can_author = True
    colleague.save()
    client.force_login(colleague)
    for rest in NAMES:
        assert client.get(url(flow, rest)).status_code == 200, rest
    client.force_login(stranger)
    for rest in NAMES:
        assert client.get(url(flow, rest)).status_code == 404
    for rest in POSTS:
        assert client.post(url(flow, rest), form(flow)).status_code == 404
    assert draft_of(flow).revision == 1


def test_an_archived_flow_is_not_changed(author, flow):
    Flow.objects.filter(id=flow.id).update(status="archived")
    response = author.get(url(flow))
    assert response.status_code == 403
    assert "archived" in read(response).text


# One step


def test_the_page_shows_the_steps_and_the_form_of_one(author, flow):
    page = read(author.get(url(flow), {"step": "hand-over"}))
    assert titles(page) == ["Is the problem solved?", "Solved", "Hand over to a colleague"]
    assert page.one("input", id="step-title").attributes["value"] == "Hand over to a colleague"
    chosen = [
        option
        for option in page.one("select", id="step-outcome").all("option")
        if "selected" in option.attributes
    ]
    assert [option.text for option in chosen] == ["Escalated"]
    first = read(author.get(url(flow), {"step": "nothing"}))
    assert first.one("input", id="step-title").attributes["value"] == "Is the problem solved?"


def test_without_a_script_a_save_comes_back_to_the_step(author, flow):
    response = change(author, flow, title="Better?", act="keep", htmx=False)
    assert response.headers["Location"] == url(flow) + "?step=start"
    assert node(flow)["title"] == "Better?"
    response = author.post(url(flow, "edit/undo/"), {"mark": mark(flow), "step": "start"}, follow=True)
    assert "Undone: Changed “Better?”" in read(response).text
    assert node(flow)["title"] == "Is the problem solved?"


def test_a_mere_save_touches_nothing_that_is_typed_in(author, flow):
    response = change(author, flow, title=HOSTILE, help="Look **twice**")
    page = read(response)
    assert response.headers["HX-Reswap"] == "none"
    assert page.all("input", id="step-title") == []
    assert [row.one("span", class_="t").text for row in page.all("li") if row.all("span", class_="t")] == [
        " ".join(HOSTILE.split()),
        "Solved",
        "Hand over to a colleague",
    ]
    assert page.one("div", id="help-preview").one("strong").text == "twice"
    assert page.one("input", id="mark").attributes["value"] == mark(flow)
    assert page.one("button", id="undo").attributes["title"].startswith("Undo: Changed “<script>")


def test_a_save_of_nothing_is_none(author, flow):
    change(author, flow)
    assert draft_of(flow).revision == 1
    assert DraftChange.objects.count() == 0


def test_faults_are_saved_and_shown_beside_the_step(author, flow):
    page = read(change(author, flow, title=" ", **{"option-next": ["", "gone"]}, act="keep"))
    faults = [item.text for item in page.one("div", id="faults").all("li")]
    assert "The title is missing." in faults
    assert "What comes next after option 1 is missing." in faults
    assert "Option 2 leads to a step that does not exist: gone" in faults
    assert page.one("ol", id="outline").all("span", class_="fault")[0].text.endswith("faults")
    assert node(flow)["options"][1]["next"] == "gone"
    page = read(author.get(url(flow, "edit/publish/")))
    assert page.all("textarea", id="id_note") == []
    response = author.post(url(flow, "edit/publish/"), {"mark": mark(flow), "note": ""})
    assert response.status_code == 422
    assert not FlowVersion.objects.exists()


@pytest.mark.parametrize("field", ["title", "help", "option-label"])
def test_what_cannot_be_stored_is_refused_and_kept_in_the_form(author, flow, field):
    value = ["a\0b", "No"] if field == "option-label" else "a\0b"
    response = change(author, flow, **{field: value})
    assert response.status_code == 422
    assert "cannot be stored" in read(response).one("div", id="refusal").text
    assert draft_of(flow).revision == 1


def test_what_was_typed_is_kept_although_the_act_is_refused(author, flow):
    response = change(author, flow, title="Typed just before", act="up")
    assert response.status_code == 422
    page = read(response)
    assert page.one("div", id="refusal").text.startswith("There is nothing that it could change places with.")
    assert "data-unsaved" not in page.one("section", id="step").attributes
    assert titles(page)[0] == node(flow)["title"] == "Typed just before"


def test_a_text_beyond_any_limit_comes_back_to_be_shortened(author, flow):
    page = read(change(author, flow, help="x" * 50_001))
    assert len(page.one("textarea", id="step-help").text) == 50_001
    assert "data-unsaved" in page.one("section", id="step").attributes
    assert draft_of(flow).revision == 1


@pytest.mark.parametrize(
    "data",
    [
        {"act": "up"},
        {"step": "start", "act": "option-up:x"},
        {"step": "start", "act": "option-up:999999999999"},
        {"step": "start", "act": "move", "to": "\0:start"},
        {"step": "start", "act": "move", "to": "²:start"},
        {"step": "start", "act": "explode"},
        {"step": "gone", "act": "delete"},
        {"step": "start", "act": "type:<b>"},
        {"step": "start", "act": "add:"},
        {"step": "start", "title": "x" * 50_001},
    ],
    ids=str,
)
def test_whatever_is_posted_is_answered_in_words(author, flow, data):
    for headers in ({}, HTMX):
        response = author.post(url(flow, "edit/change/"), {"mark": mark(flow)} | data, headers=headers)
        assert response.status_code in (302, 422)
    assert node(flow)["title"] == "Is the problem solved?"


@pytest.mark.parametrize("given", ["", "x", "1.5", "0.99999999999999", f"{'a' * 300}.1", "\0.1"])
def test_a_made_up_mark_is_a_conflict_like_any(author, flow, given):
    assert change(author, flow, title="Mine", mark=given).status_code == 409
    assert node(flow)["title"] == "Is the problem solved?"


def test_acts_send_the_fields_along(author, flow):
    page = read(change(author, flow, title="Better?", act="option-add"))
    assert page.one("section", id="step").attributes["data-cursor"] == "option-3-label"
    assert (node(flow)["title"], len(node(flow)["options"])) == ("Better?", 3)
    page = read(change(author, flow, act="option-step:2"))
    [new] = [step for step in nodes_of(draft_of(flow).structure) if not step["title"]]
    assert page.one("section", id="step").attributes["data-showing"] == new["id"]
    assert node(flow)["options"][2]["next"] == new["id"]


def test_a_script_keeps_its_blanks(author, flow):
    change(author, flow, "solved", act="type:action")
    change(author, flow, "solved", act="script-add")
    page = read(
        change(
            author, flow, "solved", **{"script-text": "ping {host} -n {count}\r\nexit", "script-shell": "cmd"}
        )
    )
    assert [button.text for button in page.one("div", id="blanks-hint").all("button")] == [
        "{host}",
        "{count}",
    ]
    change(author, flow, "solved", act="blank-add:host")
    assert node(flow, "solved")["script"] == {
        "shell": "cmd",
        "text": "ping {host} -n {count}\nexit",
        "blanks": [],
    } | {"blanks": [{"name": "host", "label": "Host", "secret": False}]}
    blanks = {"blank-name": ["host"], "blank-label": ["Which host?"], "blank-secret": ["0"]}
    change(author, flow, "solved", **blanks)
    assert node(flow, "solved")["script"]["blanks"] == [
        {"name": "host", "label": "Which host?", "secret": True}
    ]


def test_what_led_to_a_step_is_said_before_it_goes(author, flow):
    page = read(author.get(url(flow, "edit/ask/delete/"), {"step": "solved"}))
    assert "1 · Is the problem solved?: Yes" in page.text
    author.post(
        url(flow, "edit/change/"),
        {"mark": mark(flow), "step": "solved", "act": "delete", "instead": "hand-over"},
    )
    assert [option["next"] for option in node(flow)["options"]] == ["hand-over", "hand-over"]
    assert author.get(url(flow, "edit/ask/burn/")).status_code == 404


def test_undo_gives_back_exactly_what_was(author, flow):
    before = [deepcopy(draft_of(flow).structure)]
    for act in ("option-add", "type:action", "duplicate", "script-add", "add:question"):
        change(author, flow, act=act)
        before.append(deepcopy(draft_of(flow).structure))
    assert len({str(structure) for structure in before}) == 6
    for structure in reversed(before[:-1]):
        author.post(url(flow, "edit/undo/"), {"mark": mark(flow), "step": "start"}, headers=HTMX)
        assert draft_of(flow).structure == structure
    response = author.post(url(flow, "edit/undo/"), {"mark": mark(flow)}, follow=True)
    assert "There is nothing to undo." in read(response).text


# Two authors


@pytest.fixture
def second(account):
    browser = Browser()
    browser.force_login(TeamAdminFactory(account=account, name="Noor Haddad"))
    return browser


def test_the_second_one_sees_both_and_keeps_what_they_choose(author, second, flow):
    theirs_form = form(flow, title="Second", help="Mine too")
    change(author, flow, title="First")
    response = second.post(url(flow, "edit/change/"), theirs_form, headers=HTMX)
    assert response.status_code == 409
    page = read(response)
    assert "Dana Whitfield changed this flow meanwhile." in page.text
    assert [box.one("legend").text for box in page.all("fieldset", class_="difference")] == [
        "“First”: title both changed it",
        "“First”: help",
    ]
    assert [mark.text for mark in page.all("mark")] == ["Second", "First", "Mine too", "Empty"]
    sent = [
        (field.attributes["name"], field.attributes["value"]) for field in page.all("input", type="hidden")
    ]
    names = [name for name, _ in sent]
    data = {name: [value for other, value in sent if other == name] for name in names}
    response = second.post(
        url(flow, "edit/merge/"), data | {"choice-0": "theirs", "choice-1": "mine"}, headers=HTMX
    )
    assert response.headers["HX-Redirect"] == url(flow) + "?step=start"
    assert (node(flow)["title"], node(flow)["help"]) == ("First", "Mine too")
    author.post(url(flow, "edit/undo/"), {"mark": mark(flow)}, headers=HTMX)
    assert "help" not in node(flow)


def test_with_names_hidden_the_other_author_has_a_number(author, second, flow, account):
    account.names_hidden = True
    account.save()
    change(author, flow, title="First")
    seen = second.get(url(flow)).content.decode()
    assert "by Engineer 1" in seen
    assert "Undo what Engineer 1 did" in seen
    sent = form(flow, title="Second")
    change(author, flow, title="Third")
    told = second.post(url(flow, "edit/change/"), sent, headers=HTMX)
    assert "Engineer 1 changed this flow meanwhile." in told.content.decode()
    second.post(url(flow, "edit/merge/"), sent | {"theirs": mark(flow), "all": "mine"})
    after = author.get(url(flow)).content.decode()
    assert "Undo what Engineer 2 did: Merged with other changes" in after
    for page in (seen, told.content.decode()):
        assert "Dana Whitfield" not in page
    assert "Noor Haddad" not in after


def test_a_super_admin_who_changed_it_is_told_as_one(author, flow):
    sent = form(flow, title="Mine")
    super_admin = SuperAdminFactory()
    drafting.save(
        flow.id,
        draft_of(flow).structure | {"title": "Theirs"},
        revision=draft_of(flow).revision,
        user=super_admin,
        words="",
        now=STARTED_AT,
    )
    told = author.post(url(flow, "edit/change/"), sent, headers=HTMX)
    assert told.status_code == 409
    assert "Super admin changed this flow meanwhile." in told.content.decode()
    assert super_admin.name not in author.get(url(flow)).content.decode()


@pytest.mark.parametrize(
    ("side", "title", "said"),
    [("mine", "Second", "Yours is saved."), ("theirs", "First", "Nothing of yours was saved.")],
)
def test_one_side_is_taken_whole(author, second, flow, side, title, said):
    sent = form(flow, title="Second")
    change(author, flow, title="First")
    change(author, flow, "solved", title="Done and dusted")
    merging = sent | {"theirs": mark(flow), "all": side}
    assert said in read(second.post(url(flow, "edit/merge/"), merging, follow=True)).text
    assert node(flow)["title"] == title
    assert node(flow, "solved")["title"] == ("Solved" if side == "mine" else "Done and dusted")


def test_what_cannot_be_stored_and_loses_the_merge_does_no_harm(author, second, flow):
    sent = form(flow, title="A\0B", help="Mine")
    change(author, flow, title="First")
    merging = sent | {"theirs": mark(flow), "choice-0": "theirs", "choice-1": "mine"}
    assert second.post(url(flow, "edit/merge/"), merging).status_code == 302
    assert (node(flow)["title"], node(flow)["help"]) == ("First", "Mine")


def test_a_third_save_during_the_merge_is_told_again(author, second, flow):
    sent = form(flow, title="Second")
    change(author, flow, title="First")
    merging = sent | {"theirs": mark(flow), "all": "mine"}
    change(author, flow, title="Third")
    assert second.post(url(flow, "edit/merge/"), merging, headers=HTMX).status_code == 409
    assert node(flow)["title"] == "Third"


def test_a_step_that_the_other_one_deleted_can_be_put_back(author, second, flow):
    sent = form(flow, "solved", title="Solved for good")
    author.post(url(flow, "edit/change/"), {"mark": mark(flow), "step": "solved", "act": "delete"})
    page = read(second.post(url(flow, "edit/change/"), sent, headers=HTMX))
    assert "Solved for good" in page.text
    second.post(url(flow, "edit/merge/"), sent | {"theirs": mark(flow)})
    assert node(flow, "solved")["title"] == "Solved for good"


def test_after_publishing_an_old_form_is_a_conflict_too(author, second, flow):
    change(author, flow, title="One")
    sent = form(flow, title="Old")
    author.post(url(flow, "edit/publish/"), {"mark": mark(flow), "note": ""})
    change(author, flow, title="Two")
    change(author, flow, title="Three")
    assert draft_of(flow).revision == 4
    assert second.post(url(flow, "edit/change/"), sent, headers=HTMX).status_code == 409
    response = second.post(url(flow, "edit/merge/"), sent | {"theirs": mark(flow), "all": "mine"})
    assert response.status_code == 302
    assert node(flow)["title"] == "Old"


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_once_one_wins_and_the_other_is_told(account, flow, team_admin):
    sent = [form(flow, title=f"Title {number}") for number in range(4)]
    barrier, answers = threading.Barrier(4), []

    def save(data):
        browser = Browser()
        browser.force_login(team_admin)
        barrier.wait()
        try:
            with account_scope(account):
                answers.append(
                    (browser.post(url(flow, "edit/change/"), data, headers=HTMX).status_code, data["title"])
                )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=save, args=[data]) for data in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert [title for status, title in answers if status == 200] == [node(flow)["title"]]
    assert draft_of(flow).revision == 2


# The draft as a whole


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
