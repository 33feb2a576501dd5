"""Scripts in the runner: filled in for the shell, and nothing secret is kept."""

from django.db import connection

from flowpilot.tests.factories import (
    FlowVersionFactory,
)
from flowpilot.tests.runner.posting import BY_SCRIPT, SCRIPT, STRUCTURE, decide, url
from resolutionflow.tests.pages import read


def fill_in(browser, session, headers=BY_SCRIPT, **values):
    data = {"node_id": "log"} | {f"blank-{name}": value for name, value in values.items()}
    return browser.post(url(session, "script"), data, headers=headers)


def script_text(page):
    return "".join(page.one("code", id="script-text").strings())


def test_a_script_asks_for_its_blanks_and_keeps_no_secret(browser, session):
    decide(browser, session, "root", "Yes")
    page = read(browser.get(url(session)))
    assert page.one("input", id="id_blank-word").attributes["type"] == "password"
    response = fill_in(browser, session, user="o'brien", word="pass 'word; calc")
    expected = "Get-ADUser 'o''brien'\nSet-Password 'o''brien' 'pass ''word; calc'"
    assert script_text(read(response)) == expected
    assert "no-store" in response["Cache-Control"]
    assert (
        script_text(read(fill_in(browser, session, headers={}, user="o'brien", word="pass 'word; calc")))
        == expected
    )
    session.refresh_from_db()
    assert session.script_values == {"user": "o'brien"}
    with connection.cursor() as cursor:
        cursor.execute(
            "select s::text from flowpilot_session s where id = %s and account_id = %s",
            [session.id, session.account_id],
        )
        assert "word; calc" not in cursor.fetchone()[0]
    again = browser.get(url(session))
    assert b"word; calc" not in again.content
    page = read(again)
    assert page.one("input", id="id_blank-user").attributes["value"] == "o'brien"
    assert "value" not in page.one("input", id="id_blank-word").attributes
    assert not page.all("code", id="script-text")


def test_a_value_that_no_shell_can_hold_is_refused_in_words(browser, session):
    decide(browser, session, "root", "Yes")
    response = fill_in(browser, session, user="-rf", word="secret-word")
    assert response.status_code == 422
    page = read(response)
    assert "an option" in page.one("div", id="id_blank-user_error").text
    assert b"secret-word" not in response.content
    session.refresh_from_db()
    assert session.script_values == {}


def test_a_name_that_is_secret_in_any_step_is_kept_nowhere(browser, session):
    structure = STRUCTURE | {"children": [dict(child) for child in STRUCTURE["children"]]}
    structure["children"][0] |= {
        "script": {"shell": "bash", "text": "id {word}", "blanks": [{"name": "word", "label": "Word"}]},
        "next": "more",
    }
    structure["children"].append(
        {"id": "more", "type": "action", "title": "More", "next": "done", "script": SCRIPT}
    )
    session.flow_version = FlowVersionFactory(flow=session.flow, number=8, structure=structure)
    session.save()
    decide(browser, session, "root", "Yes")
    assert script_text(read(fill_in(browser, session, word="hush"))) == "id 'hush'"
    session.refresh_from_db()
    assert session.script_values == {}


def test_a_script_of_a_step_that_the_session_left_is_not_filled(browser, session):
    assert fill_in(browser, session, user="x", word="y").status_code == 409


def test_values_are_asked_for_once_a_session(browser, session):
    structure = STRUCTURE | {"children": [dict(child) for child in STRUCTURE["children"]]}
    structure["children"][0] |= {
        "script": {"shell": "cmd", "text": "net user {user}", "blanks": [{"name": "user", "label": "User"}]}
    }
    session.flow_version = FlowVersionFactory(flow=session.flow, number=8, structure=structure)
    session.script_values = {"user": "jdoe"}
    session.save()
    decide(browser, session, "root", "Yes")
    assert script_text(read(browser.get(url(session)))) == 'net user "jdoe"'
