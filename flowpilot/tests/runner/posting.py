"""A flow to run, what the runner posts, and what its page says."""

from datetime import UTC, datetime

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
BY_SCRIPT = {"HX-Request": "true"}
SCRIPT = {
    "shell": "powershell",
    "text": "Get-ADUser {user}\nSet-Password {user} {word}",
    "blanks": [
        {"name": "user", "label": "Sign-in name", "secret": False},
        {"name": "word", "label": "New password", "secret": True},
    ],
}
STRUCTURE = {
    "id": "root",
    "type": "question",
    "title": "Does it start?",
    "help": "Press *twice*.",
    "options": [{"label": "Yes", "next": "log"}, {"label": "No", "next": "gone"}],
    "children": [
        {"id": "log", "type": "action", "title": "Reset the password", "next": "done", "script": SCRIPT},
        {"id": "done", "type": "outcome", "outcome": "workaround", "title": "Works again"},
        {"id": "gone", "type": "outcome", "outcome": "escalated", "title": "Hand over"},
    ],
}


def url(session, act=""):
    return f"/sessions/{session.id}/{act}/" if act else f"/sessions/{session.id}/"


def decide(browser, session, node, answer="", id="d1", **more):
    headers = BY_SCRIPT if more.pop("by_script", False) else {}
    data = {"decision_id": id, "node_id": node, "answer": answer} | more
    return browser.post(url(session, "decide"), data, headers=headers)


def step_of(page):
    return page.one("h2", id="step-title").text


def options(page):
    return [button.one("span").text for button in page.all("button", name="answer")]


def so_far(page):
    return [item.all("p")[0].text for item in page.one("aside", class_="so-far").all("li")]
