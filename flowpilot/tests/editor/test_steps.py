"""The editor's pages: who may edit, what a save does and says."""

from copy import deepcopy

import pytest

from flowpilot.flows.structure import nodes_of
from flowpilot.models import DraftChange, Flow, FlowVersion
from flowpilot.tests.editor.posting import HTMX, change, draft_of, form, mark, node, titles, url
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
