"""A flow's analytics as its readers see it; that the figures are right is tested in test_flow_metrics.py."""

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.models import Session
from flowpilot.tests.factories import (
    ClientFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
    StepFactory,
)
from ratings.tests.factories import SessionRatingFactory, StepRatingFactory
from resolutionflow.accounts.models import AuditEntry
from resolutionflow.tests.factories import UserFactory
from resolutionflow.tests.pages import cards, embedded_json, listed, read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # noon in London
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""
PANELS = ("summary", "days", "tree", "steps", "options", "outcomes", "versions", "stars", "comments")
FILES = ("days", "steps", "options", "outcomes", "versions", "stars", "comments")
STRUCTURE = {
    "id": "root",
    "type": "question",
    "title": "Does it print?",
    "options": [{"label": "Yes", "next": "done"}, {"label": "No", "next": "cable"}],
    "children": [
        {"id": "cable", "type": "action", "title": HOSTILE, "next": "done"},
        {"id": "done", "type": "outcome", "outcome": "resolved", "title": "Done"},
    ],
}


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def flow(account):
    flow = FlowFactory(name="Nothing prints")
    first = FlowVersionFactory(flow=flow, number=1, structure=STRUCTURE)
    flow.current_version = FlowVersionFactory(flow=flow, number=2, structure=STRUCTURE)
    flow.save()
    flow.first = first
    return flow


@pytest.fixture
def ran(flow, colleague):
    """Makes sessions of the flow that went from its root to the cable, a day ago."""

    def ran(count=1, *, answers=("No", ""), **facts):
        at = NOW - timedelta(days=facts.pop("days_ago", 1))
        decided = [
            {"id": str(n), "node_id": node_id, "title": "", "answer": answer, "note": "", "taken_over": False}
            | {"at": (at + timedelta(seconds=40 * (n + 1))).isoformat(), "undone_at": None}
            for n, (node_id, answer) in enumerate(zip(("root", "cable"), answers, strict=False))
        ]
        usual = {"user": colleague, "flow": flow, "flow_version": flow.current_version, "started_at": at}
        return [SessionFactory(**usual | {"decisions": decided} | facts) for _ in range(count)]

    return ran


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def url(flow, rest=""):
    return f"/analytics/flows/{flow.id}/{rest}"


def whole(flow, rest=""):
    """With the panels that else come by themselves."""
    return url(flow, f"?panels=all{rest}")


def panel(page, name):
    return page.one("section", id=f"panel-{name}")


def test_the_cards_say_usage_completion_median_and_the_engineers_own_rating(lead, flow, ran):
    for session in ran(6)[:5]:
        SessionRatingFactory(session=session, rating=4, created_at=NOW)
    ran(2, status="abandoned")
    ran(4, days_ago=31)
    shown = cards(read(lead.get(url(flow))))
    assert list(shown) == ["Usage", "Completion rate", "Median duration", "CSAT, engineers' own rating"]
    assert shown["Usage"].startswith("8 ▲up 100 % to the 30 days before, to this hour")
    assert shown["Completion rate"].startswith("75.0 %")
    assert shown["CSAT, engineers' own rating"].startswith("4.0")
    assert "n = 5 · 83.3 % of the completed sessions rated" in shown["CSAT, engineers' own rating"]


def test_a_team_admins_figures_open_the_sessions_behind_them(lead, flow, ran, made_thumbs):
    ran(6)
    ran(3, status="abandoned")
    ran(1, flow_version=flow.first)
    made_thumbs(4, up=3)
    page = read(lead.get(whole(flow)))
    links = [link for link in page.one("main").all("a", class_="figure") if "sessions/" in link.href]
    assert len(links) > 15
    for link in links:
        promised = re.match(r"[\d,]+", link.attributes.get("title") or link.text)[0]
        opened = read(lead.get(link.href))
        assert not opened.all("div", role="alert"), link.href
        assert listed(opened)[0] == int(promised.replace(",", "")), link.href
    steps = {row[0]: row[1:] for row in panel(page, "steps").one("table").rows()}
    assert steps["Does it print?"][0] == "10"
    assert steps["Does it print?"][3] == "40 s"


@pytest.fixture
def made_thumbs(flow):
    """Thumbs on the root in so many of the flow's sessions."""

    def made(count, *, up):
        step = StepFactory(flow=flow, node_id="root", title="Does it print?")
        for number, session in enumerate(Session.objects.filter(flow=flow).order_by("id")[:count]):
            StepRatingFactory(step=step, session=session, was_helpful=number < up)

    return made


def test_an_engineers_figures_over_colleagues_sessions_are_plain_text(client, engineer, lead, flow, ran):
    for session in ran(6):
        SessionRatingFactory(session=session, created_at=NOW)
    of_lead = read(lead.get(whole(flow)))
    client.force_login(engineer)
    page = read(client.get(whole(flow)))
    assert page.one("main").all("a", class_="figure") == []
    assert not [link for link in page.one("main").all("a") if "/sessions/?" in link.href]
    for name in ("steps", "options", "versions"):
        assert panel(page, name).one("table").rows() == panel(of_lead, name).one("table").rows()
    for trace in embedded_json(page, "figure-days-json")["data"]:
        assert set(trace["customdata"]) == {""}


def test_the_answers_say_how_their_sessions_ended(lead, flow, ran):
    ran(6)
    ran(3, status="escalated")
    ran(1, status="abandoned")
    ran(2, answers=("Yes",))
    rows = panel(read(lead.get(whole(flow))), "options").one("table").rows()
    assert rows[0] == ["Does it print?"]
    assert rows[1][:3] == ["Yes", "2", "2 of 2too few sessions"]
    assert rows[2][:2] == ["No", "10"]
    assert [cell.partition(" %")[0] for cell in rows[2][2:]] == ["60.0", "0.0", "30.0", "0.0", "10.0"]


def test_the_tree_carries_the_figures(lead, flow, ran, made_thumbs):
    ran(6)
    ran(4, status="abandoned", answers=("No",))
    made_thumbs(3, up=2)
    page = panel(read(lead.get(whole(flow))), "tree")
    assert "Version 2, with the figures of the sessions of all versions" in page.text
    notes = [" | ".join(note.text for note in p.all("span")) for p in page.all("p", class_="outline-notes")]
    assert notes[0] == "10 visits · 40 s | 40.0 % left here | 2 helpful, 1 not"
    assert notes[1] == "6 visits · 40 s"
    suffixes = [note.text for note in page.all("span", class_="outline-suffix")]
    assert suffixes == ["0", "10", "6"]
    assert panel(read(lead.get(whole(flow, "&version=1"))), "tree").text.count("not visited") >= 2


def test_a_version_is_compared_with_the_one_before(lead, flow, ran):
    ran(40)
    ran(30, status="escalated", flow_version=flow.first)
    ran(10, flow_version=flow.first)
    rows = {row[0]: row[1:] for row in panel(read(lead.get(url(flow))), "versions").one("table").rows()}
    assert rows["Sessions"][:2] == ["40", "40"]
    assert rows["Success rateof ended sessions"][2] == "better"
    assert rows["Median durationof completed sessions"] == ["10.0 min10.0 – 10.0 min"] * 2 + ["within noise"]
    assert rows["Drop-offof sessions that are over"][2] == "within noise"


def test_few_sessions_are_grey_and_judge_nothing(lead, flow, ran):
    ran(4, status="abandoned")
    page = read(lead.get(whole(flow)))
    assert "too few sessions to judge" in cards(page)["Completion rate"]
    cell = panel(page, "steps").one("table").rows()[0]
    assert cell[2] == "4 of 4too few visits"
    assert panel(page, "steps").all("span", class_="few")
    assert {row[-1] for row in panel(page, "versions").one("table").rows()} == {"", "too few sessions"}


def test_one_version_alone_has_nothing_to_be_compared_with(lead, ran, flow):
    ran()
    alone = FlowFactory()
    SessionFactory(flow=alone, started_at=NOW)
    assert "no published version yet" in panel(read(lead.get(url(alone))), "versions").text
    page = read(lead.get(url(flow, "?version=1")))
    assert "Version 1 is the first one" in panel(page, "versions").text


@pytest.mark.parametrize("role", ["engineer", "team_admin"])
def test_comments_stay_hidden_until_nobody_can_be_guessed(client, request, flow, ran, colleague, role):
    client.force_login(request.getfixturevalue(role))
    sessions = ran(4)
    for session in sessions[:3]:
        SessionRatingFactory(session=session, created_at=NOW, rating=1, comment=HOSTILE)
    SessionRatingFactory(session=sessions[3], created_at=NOW, comment="  ")
    assert "No comments shown" in panel(read(client.get(url(flow))), "comments").text
    (other,) = ran(user=UserFactory(account=flow.account, name="Somebody Else"))
    late = NOW - timedelta(days=1, hours=-12, minutes=-30)  # half past midnight in London
    SessionRatingFactory(session=other, created_at=late, comment="Good")
    shown = panel(read(client.get(url(flow))), "comments")
    assert shown.text.count("alert") == 3
    assert "Good31 Mar 2026" in shown.text
    assert "star" not in shown.text.replace("without names and stars", "")
    assert "Somebody" not in shown.text
    assert colleague.name not in shown.text


def test_hostile_texts_are_text(lead, flow, ran):
    flow.name = HOSTILE
    flow.save()
    ran(2, answers=(HOSTILE, HOSTILE))
    body = lead.get(whole(flow)).content.decode()
    assert "<script>alert" not in body
    assert body.count("{{ 7 }}") >= 4


@pytest.mark.parametrize("name", FILES)
def test_each_table_is_to_be_had_as_a_file(lead, flow, ran, name):
    for session in ran(3):
        SessionRatingFactory(session=session, created_at=NOW, comment="=1+1")
    (other,) = ran(user=UserFactory(account=flow.account))
    SessionRatingFactory(session=other, created_at=NOW, comment="Good")
    answer = lead.get(url(flow, f"panels/{name}.csv"))
    rows = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert len(rows) > 1
    assert all(len(row) == len(rows[0]) for row in rows)
    if name == "comments":
        assert rows[0] == ["Day", "Comment"]
        assert ["2026-03-31", "'=1+1"] in rows
    assert AuditEntry.objects.get().action == "export.downloaded"
    assert b"".join(lead.get(url(flow, f"panels/{name}.xlsx")).streaming_content).startswith(b"PK")


def test_what_is_asked_for_must_exist(lead, flow, ran, stranger, client):
    ran()
    for rest in (
        "?version=3",
        f"?client_id={uuid4()}",
        "panels/nothing/",
        "panels/summary.csv",
        "panels/steps.pdf",
    ):
        assert lead.get(url(flow, rest)).status_code == 404, rest
    assert lead.get(f"/analytics/flows/{uuid4()}/").status_code == 404
    for bad in ("?version=x", "?version=-1", "?version=99999999999", "?client_id=%00", "?period=1d"):
        answer = lead.get(url(flow, bad))
        assert answer.status_code == 200, bad
        assert read(answer).all("div", role="alert"), bad
        assert lead.get(url(flow, f"panels/steps.csv{bad}")).status_code == 422
    client.force_login(stranger)
    for rest in ("", "panels/steps/", "panels/steps.csv"):
        assert client.get(url(flow, rest)).status_code == 404


def test_a_client_and_a_version_narrow_the_page(lead, flow, ran):
    acme = ClientFactory(name="Acme")
    ran(3, client=acme)
    ran(2, flow_version=flow.first)
    assert cards(read(lead.get(url(flow, f"?client_id={acme.id}"))))["Usage"].startswith("3")
    page = read(lead.get(url(flow, "?version=1")))
    assert cards(page)["Usage"].startswith("2")
    chosen = [o.text for o in page.one("select", name="version").all("option") if "selected" in o.attributes]
    assert chosen == ["Version 1"]


def test_an_empty_period_leads_to_where_there_is_something(lead, flow, ran):
    ran(days_ago=200)
    page = read(lead.get(url(flow)))
    assert "No sessions in this period" in panel(page, "summary").text
    (link,) = panel(page, "summary").all("a", class_="button")
    assert cards(read(lead.get(link.href)))["Usage"].startswith("1")


def test_htmx_gets_the_frame_and_each_section_for_itself(lead, flow, ran):
    ran()
    swap = read(lead.get(url(flow), headers={"HX-Request": "true"}))
    waiting = [s.attributes["hx-get"] for s in swap.all("section") if "hx-get" in s.attributes]
    assert len(waiting) == len(PANELS) - 2
    for address in waiting:
        assert lead.get(address, headers={"HX-Request": "true"}).status_code == 200


def test_what_is_heavy_comes_after_the_page_or_without_a_script_by_a_link(lead, flow, ran):
    ran()
    page = read(lead.get(url(flow, "?period=90d&version=2")))
    (waiting,) = [section for section in page.all("section") if "hx-get" in section.attributes]
    link = page.one("p", class_="no-js").one("a")
    assert link.text == "Show the map, the steps and the answers"
    together = lead.get(waiting.attributes["hx-get"])
    complete = lead.get(link.href)
    assert together.content in complete.content
    assert not [section for section in read(complete).all("section") if "hx-get" in section.attributes]
    ids = [section.attributes["id"] for section in read(together).all("section", class_="wide")]
    assert ids == ["panel-tree", "panel-steps", "panel-options"]


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_asks_twice_at_the_most_however_much_there_is(lead, flow, ran, account, name):
    def asked(rest):
        with CaptureQueriesContext(connection) as queries:
            lead.get(url(flow, rest))
        return len(queries)

    def rated(sessions):
        for session in sessions:
            SessionRatingFactory(session=session, created_at=NOW, comment="Good")

    rated(ran(6))
    rated(ran(6, flow_version=flow.first, user=UserFactory(account=account)))
    few = asked(f"panels/{name}/")
    for step in range(30):
        StepFactory(flow=flow, node_id=f"more-{step}")
    rated(ran(20, answers=("Yes", "odd")))
    assert asked(f"panels/{name}/") == few
    assert few - asked("panels/none/") <= 2  # which finds the person and the flow, and no such panel


def test_a_page_asks_for_the_decisions_once(lead, flow, ran):
    ran()
    with CaptureQueriesContext(connection) as queries:
        lead.get(whole(flow))
    # as it stands twice in the one statement: for the figures, and for the title of a step without a row of its own
    assert sum("jsonb_array_elements" in query["sql"] for query in queries) == 1
