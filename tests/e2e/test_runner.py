"""The runner as an engineer uses it: the keyboard alone, two tabs, no connection, a reload, scripts, hostile text."""

import re

import pytest
from playwright.sync_api import expect

from flowpilot.models import Session
from flowpilot.sessions import driving, starting
from flowpilot.tests.factories import ClientFactory, FlowFactory, FlowVersionFactory, StepFactory
from tests.e2e.axe import axe
from tests.e2e.looks import NARROW, WITHOUT_SCRIPT
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser

HELP = "Ask for the address:\n\n`outlook.office.com/owa`\n\n- one\n- two\n\n```\nwhoami\n```"
STRUCTURE = {
    "id": "root",
    "type": "question",
    "title": "Does web mail work?",
    "help": HELP,
    "options": [{"label": "Yes, it opens", "next": "profile"}, {"label": "No", "next": "handed"}],
    "children": [
        {
            "id": "profile",
            "type": "action",
            "title": "Reset the password",
            "next": "better",
            "script": {
                "shell": "powershell",
                "text": "Set-Password {user} {word}",
                "blanks": [
                    {"name": "user", "label": "Sign-in name", "secret": False},
                    {"name": "word", "label": "New password", "secret": True},
                ],
            },
        },
        {
            "id": "better",
            "type": "question",
            "title": "Better now?",
            "options": [{"label": "Yes", "next": "done"}, {"label": "No", "next": "root"}],
        },
        {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Solved"},
        {"id": "handed", "type": "outcome", "outcome": "escalated", "title": "Hand over"},
    ],
}


@pytest.fixture
def flow(noon, account):
    flow = FlowFactory(name="Outlook cannot connect")
    flow.current_version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    flow.save()
    for node in ("root", "profile", "better", "done"):
        StepFactory(flow=flow, node_id=node)
    return flow


@pytest.fixture
def session(flow, engineer):
    return starting.start(engineer, problem_summary="Mail is down", flow=flow, now=NOW)


@pytest.fixture
def runner(page, session, engineer):
    log_in(page, engineer)
    page.goto(f"/sessions/{session.id}/")
    return page


@pytest.fixture(autouse=True)
def _settled(page):
    """The thumbs load after the step: nothing may still be asked for when the database is emptied."""
    yield
    for open_page in page.context.pages:
        open_page.wait_for_load_state("networkidle")


def stands_at(page, title):
    expect(page.locator("#step-title")).to_have_text(title)
    page.wait_for_load_state()  # a key pressed before the script is there chooses nothing


def so_far(page):
    return page.get_by_role("complementary", name="So far").get_by_role("listitem")


def test_a_flow_by_the_keyboard_alone(page, flow, engineer, account):
    ClientFactory(name="Acme")
    log_in(page, engineer)
    page.goto("/sessions/new/")
    keyboard = page.keyboard
    keyboard.type("Mail is down at Acme")  # the field has the focus
    for _ in range(4):  # client, ticket, more about it, the search
        keyboard.press("Tab")
    keyboard.type("outl")
    expect(page.get_by_role("radio")).to_have_count(2)
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Outlook cannot connect")).to_be_checked()
    keyboard.press("Enter")
    stands_at(page, "Does web mail work?")
    keyboard.press("1")
    stands_at(page, "Reset the password")
    expect(page.locator("#step-title")).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Step 2: Reset the password")
    keyboard.press("1")
    stands_at(page, "Better now?")
    keyboard.press("2")
    stands_at(page, "Does web mail work?")
    page.get_by_role("button", name="Back").focus()
    keyboard.press("Enter")
    stands_at(page, "Better now?")
    keyboard.press("1")
    stands_at(page, "Solved")
    keyboard.press("1")
    dialog = page.get_by_role("dialog", name="Finish the session")
    expect(dialog.get_by_role("radio", name="Resolved", exact=True)).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("Tab")
    keyboard.type("New password")
    for _ in range(2):
        keyboard.press("Tab")
    keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="How was this flow?")).to_be_visible()
    keyboard.press("Escape")
    expect(page.locator(".told")).to_have_text("New passwordReset the password")
    session = Session.objects.get()
    assert (session.outcome, session.step_count) == ("workaround", 3)
    page.reload()
    expect(page.get_by_role("link", name="Rate this session")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_digits_in_a_field_are_only_digits(runner, session):
    runner.get_by_text("Add note", exact=True).click()
    runner.get_by_label("Note for this step").fill("")
    runner.get_by_label("Note for this step").press_sequentially("12")
    stands_at(runner, "Does web mail work?")
    runner.get_by_role("button", name="Yes, it opens").dblclick()
    stands_at(runner, "Reset the password")
    session.refresh_from_db()
    assert [d["note"] for d in session.decisions] == ["12"]


def test_a_second_tab_is_told_and_shown_where_it_stands(runner, session, complaints):
    other = runner.context.new_page()
    other.goto(runner.url)
    runner.keyboard.press("1")
    stands_at(runner, "Reset the password")
    complaints.expect("status of 409")
    other.get_by_text("Add note", exact=True).click()
    other.get_by_label("Note for this step").fill("Seen elsewhere")
    other.get_by_role("button", name="No", exact=True).click()
    expect(other.get_by_role("alert")).to_contain_text("went on elsewhere")
    stands_at(other, "Reset the password")
    expect(other.get_by_label("Note for this step")).to_have_value("Seen elsewhere")
    session.refresh_from_db()
    assert session.step_count == 1


def test_without_connection_the_click_is_kept_and_sent_by_itself(runner, session, complaints):
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    runner.context.set_offline(True)
    runner.keyboard.press("1")
    bar = runner.locator("#unsaved")
    expect(bar).to_contain_text("Not saved yet: “Yes, it opens”")
    runner.keyboard.press("2")  # the next step is not known yet
    stands_at(runner, "Does web mail work?")
    runner.context.set_offline(False)
    stands_at(runner, "Reset the password")
    expect(bar).to_be_hidden()
    session.refresh_from_db()
    assert [d["answer"] for d in session.decisions] == ["Yes, it opens"]


def test_what_is_discarded_leaves_the_step_as_it_was(runner, session, complaints):
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    runner.context.set_offline(True)
    runner.keyboard.press("1")
    runner.get_by_role("button", name="Discard").click()
    expect(runner.locator("#unsaved")).to_be_hidden()
    runner.context.set_offline(False)
    runner.keyboard.press("2")
    stands_at(runner, "Hand over")
    session.refresh_from_db()
    assert [d["answer"] for d in session.decisions] == ["No"]


def test_a_late_answer_does_not_close_the_dialog(runner, session):
    held = []
    runner.route("**/decide/", lambda route: held.append(route))  # noqa: PLW0108 - takes no builtin
    with runner.expect_request("**/decide/"):
        runner.keyboard.press("1")
    runner.get_by_role("link", name="Finish", exact=True).click()
    dialog = runner.get_by_role("dialog", name="Finish the session")
    dialog.get_by_role("radio", name="Unresolved").check()
    with runner.expect_response("**/decide/"):
        held[0].continue_()
    expect(runner.locator("button.chosen")).to_have_count(0)  # it has arrived
    expect(dialog.get_by_role("radio", name="Unresolved")).to_be_checked()
    runner.keyboard.press("Escape")
    stands_at(runner, "Reset the password")
    session.refresh_from_db()
    assert session.step_count == 1


def test_what_is_kept_is_sent_after_a_reload_and_once(runner, session, complaints):
    complaints.expect("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
    runner.route("**/decide/", lambda route: route.abort())
    runner.keyboard.press("1")
    expect(runner.locator("#unsaved")).to_be_visible()
    runner.unroute("**/decide/")
    runner.reload()
    stands_at(runner, "Reset the password")
    expect(runner.locator("#unsaved")).to_be_hidden()
    session.refresh_from_db()
    assert session.step_count == 1


def test_an_answer_that_got_lost_on_its_way_back_decides_once(runner, session, complaints):
    complaints.expect("ERR_FAILED", "ERR_CONNECTION")
    lost = []

    def lose_the_first(route):
        if lost:
            route.continue_()
            return
        lost.append(route.fetch())
        route.abort()

    runner.route("**/decide/", lose_the_first)
    runner.get_by_role("button", name="Yes, it opens").click()
    expect(runner.locator("#unsaved")).to_be_visible()
    runner.get_by_role("button", name="Send now").click()
    stands_at(runner, "Reset the password")
    session.refresh_from_db()
    assert session.step_count == 1


def test_what_is_noted_while_the_end_waits_is_saved_before_it(runner, session, complaints):
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    runner.keyboard.press("2")
    stands_at(runner, "Hand over")
    runner.context.set_offline(True)
    for _ in range(2):
        runner.get_by_role("link", name="Finish", exact=True).click()
        dialog = runner.get_by_role("dialog", name="Finish the session")
        dialog.get_by_label("Why is it handed over?").fill("No rights")
        dialog.get_by_role("button", name="Finish").click()
    so_far(runner).first.get_by_text("Add note").click()
    runner.get_by_label("Note to step 1").fill("Said at last")
    runner.get_by_role("button", name="Save note").click()
    expect(runner.locator("#unsaved")).to_contain_text("Not saved yet: “Note”, “Finish”. ")
    runner.context.set_offline(False)
    expect(runner.get_by_role("dialog", name="How was this flow?")).to_be_visible()
    session.refresh_from_db()
    assert (session.outcome, session.decisions[0]["note"]) == ("escalated", "Said at last")
    assert runner.evaluate("localStorage.length") == 0


def test_a_page_that_is_no_answer_saves_nothing(runner, session):
    pages = iter(["Sign in to this network first"])

    def in_between(route):
        body = next(pages, None)
        route.fulfill(body=body, content_type="text/html") if body else route.continue_()

    runner.route("**/decide/", in_between)
    runner.get_by_role("button", name="Yes, it opens").click()
    expect(runner.locator("#unsaved")).to_contain_text("Not saved yet: “Yes, it opens”")
    runner.get_by_role("button", name="Send now").click()
    stands_at(runner, "Reset the password")
    session.refresh_from_db()
    assert session.step_count == 1


def test_a_note_in_the_making_survives_a_reload(runner, session):
    runner.get_by_text("Add note", exact=True).click()
    runner.get_by_label("Note for this step").fill("Half a thou")
    runner.reload()
    expect(runner.get_by_label("Note for this step")).to_have_value("Half a thou")
    runner.get_by_role("button", name="Yes, it opens").click()
    stands_at(runner, "Reset the password")
    expect(so_far(runner).first).to_contain_text("Half a thou")
    runner.get_by_role("button", name="Back").click()
    stands_at(runner, "Does web mail work?")
    expect(runner.get_by_label("Note for this step")).to_have_value("")


ATTACKS = [
    "o'brien",
    "'; calc; '",
    "\u2019; calc; \u2018",
    "$(calc) `calc` ${calc}",
    "; calc; #",
    "</code><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{word}",
    "&lt;b&gt;",
]


def test_scripts_are_filled_copied_and_forget_their_secrets(runner, session, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    runner.keyboard.press("1")
    for attack in ATTACKS:
        if runner.get_by_text("Change the values").is_visible():
            runner.get_by_text("Change the values").click()
        runner.get_by_label("Sign-in name").fill(attack)
        runner.get_by_label("New password").fill("hush " + attack)
        runner.get_by_role("button", name="Fill in").click()
        quoted = re.sub("(['\u2018\u2019])", r"\1\1", attack)
        expected = f"Set-Password '{quoted}' 'hush {quoted}'"
        expect(runner.locator("#script-text")).to_have_text(expected, use_inner_text=True)
        expect(runner.get_by_label("Script, filled in")).to_be_focused()  # to be read at once
        runner.locator(".script-head").get_by_role("button", name="Copy").click()
        expect(runner.get_by_text("Copied.").last).to_be_visible()
        assert runner.evaluate("navigator.clipboard.readText()") == expected
    kept = runner.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])")
    assert "hush" not in kept
    runner.reload()
    expect(runner.get_by_label("Sign-in name")).to_have_value(ATTACKS[-1])
    expect(runner.get_by_label("New password")).to_have_value("")
    assert "hush" not in runner.content()
    runner.get_by_label("Sign-in name").fill("-rf")
    runner.get_by_label("New password").fill("x")


MARKDOWN_ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "![x](https://example.org/x.png)",
    '<a href="javascript:alert(1)">a</a>',
    "<svg onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "`</code><script>alert(1)</script>`",
    "```\n</pre><script>alert(1)</script>\n```",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    '<div hx-get="/accounts/logout/" hx-trigger="load">x</div>',
    '<style>body{display:none}</style><form action="/"><button>x</button></form>',
    "{{ 7*7 }} {% now %}",
]


def test_nothing_in_a_steps_help_is_ever_run(page, noon, account, engineer):
    log_in(page, engineer)
    flow = FlowFactory(name="Hostile")
    page.add_init_script("window.alert = () => { window.attacked = true; }")
    for number, attack in enumerate(MARKDOWN_ATTACKS, start=1):
        structure = STRUCTURE | {"help": attack, "title": attack[:300]}
        flow.current_version = FlowVersionFactory(flow=flow, number=number, structure=structure)
        flow.save()
        session = starting.start(engineer, problem_summary=attack, flow=flow, now=NOW)
        page.goto(f"/sessions/{session.id}/")
        for link in page.locator(".step-help a").all():
            assert not re.match(r"\s*(javascript|data):", link.get_attribute("href") or "", re.IGNORECASE)
        help_ = page.locator(".step-help")
        expect(
            help_.locator("script, img, svg, iframe, style, form, [hx-get], [onerror], [onload]")
        ).to_have_count(
            1 if help_.locator(".copy-code").count() else 0  # the icon of our own button
        )
        expect(page.locator("#step-title")).to_have_text(attack.strip()[:300], use_inner_text=False)
        assert page.evaluate("window.attacked") is None


def test_leaving_the_flow_recording_a_step_and_coming_back(runner, session):
    runner.get_by_role("button", name="None of these: go on without the flow").click()
    stands_at(runner, "Record what you try")
    runner.get_by_label("What did you do?").fill("Changed the cable")
    runner.get_by_label("What came of it?").fill("Works")
    runner.get_by_label("What came of it?").press("Enter")
    expect(so_far(runner)).to_have_count(2)
    runner.get_by_role("button", name="Back to the flow").click()
    stands_at(runner, "Does web mail work?")
    expect(so_far(runner).first).to_contain_text("taken back")


def test_help_is_asked_for_answered_and_shown(runner, session, colleague, browser, live_server):
    runner.get_by_role("link", name="Escalate").click()
    dialog = runner.get_by_role("dialog", name="Ask the team for help")
    expect(dialog.get_by_label("What do you need help with?")).to_be_focused()
    runner.keyboard.type("No idea any more")
    dialog.get_by_role("button", name="Ask for help").click()
    expect(runner.get_by_text("You asked for help")).to_be_visible()
    expect(runner.get_by_role("link", name="Help wanted 1")).to_be_visible()
    context = browser.new_context(base_url=live_server.url)
    context.base_address = live_server.url
    helper = context.new_page()
    log_in(helper, colleague)
    helper.goto("/sessions/?help=wanted")
    helper.get_by_role("link", name="Mail is down").click()
    helper.get_by_label("Your answer").fill("Try the other cable")
    helper.get_by_role("button", name="Answer", exact=True).click()
    expect(helper.get_by_text("Your answer stands in the session")).to_be_visible()
    context.close()
    runner.reload()
    expect(so_far(runner).last).to_contain_text("Answer from Jonas Weber")


@pytest.mark.parametrize("look", [WITHOUT_SCRIPT], ids=str)
def test_all_of_it_works_without_scripts(page, session, engineer):
    log_in(page, engineer)
    page.goto("/sessions/new/")
    page.get_by_role("searchbox").fill("outlook")
    page.get_by_role("button", name="Search").click()
    page.get_by_label("What is the problem?").fill("Second one")
    page.get_by_role("radio", name="Outlook cannot connect").check()
    page.get_by_label("What is the problem?").press("Enter")
    stands_at(page, "Does web mail work?")
    page.get_by_text("Add note", exact=True).click()
    page.get_by_label("Note for this step").fill("Typed")
    page.get_by_role("button", name="Yes, it opens").click()
    stands_at(page, "Reset the password")
    page.get_by_label("Sign-in name").fill("o'brien")
    page.get_by_label("New password").fill("hush")
    page.get_by_role("button", name="Fill in").click()
    expect(page.locator("#script-text")).to_have_text("Set-Password 'o''brien' 'hush'")
    page.get_by_role("button", name="Back").click()
    stands_at(page, "Does web mail work?")
    page.get_by_role("link", name="Finish").click()
    page.get_by_role("radio", name="Unresolved").check()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Unresolved").first).to_be_visible()
    page.get_by_text("Show the note").click()
    expect(page.get_by_label("Ticket note")).to_have_value(re.compile("Second one"))


@pytest.mark.parametrize("look", [NARROW], ids=str)
def test_on_a_phone(runner, session):
    runner.get_by_role("button", name="Yes, it opens").click()
    stands_at(runner, "Reset the password")
    expect(runner.locator(".step-before")).to_have_text("Does web mail work? Yes, it opens")
    axe(runner)


def test_a_session_of_an_ended_login_goes_on_after_signing_in(runner, session, engineer, complaints):
    driving.decide(session.id, decision_id="x", node_id="root", answer="Yes, it opens", now=NOW)
    runner.reload()
    runner.context.clear_cookies(name="sessionid")
    runner.keyboard.press("1")
    expect(runner).to_have_url(re.compile("/accounts/login/"))
    log_in(runner, engineer)
    runner.goto(f"/sessions/{session.id}/")
    stands_at(runner, "Better now?")
