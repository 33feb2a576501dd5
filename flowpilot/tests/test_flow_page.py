"""A flow's page: its map and outline, versions, what changed, the flow as a file, out of use and back."""

import json
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.models import Flow, FlowDraft
from flowpilot.tests.factories import (
    DomainFactory,
    FlowDraftFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
)
from flowpilot.tests.structures import action, leaf, question
from resolutionflow.models import AuditEntry
from resolutionflow.tests.pages import listed, read

HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""
SCRIPT = {
    "shell": "powershell",
    "text": "Get-ADUser {user}",
    "blanks": [
        {"name": "user", "label": "Sign-in name"},
        {"name": "pw", "label": "Password", "secret": True},
    ],
}


def structure(**fix):
    steps = [action("fix", "ask", help="**Ask** first.", script=SCRIPT) | fix, leaf("solved")]
    return question("ask", "solved", "fix", children=steps)


def published(structure=structure(), number=1, **fields):  # noqa: B008 - nobody changes it
    flow = FlowFactory(**fields)
    flow.current_version = FlowVersionFactory(flow=flow, number=number, structure=structure)
    flow.save()
    return flow


def url(flow, rest=""):
    return f"/flows/{flow.id}/{rest}"


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


@pytest.fixture
def author(client, engineer):
    engineer.can_author = True
    engineer.save()
    client.force_login(engineer)
    return client


@pytest.fixture
def reader(client, engineer):
    client.force_login(engineer)
    return client


def notices(page):
    return [notice.text for notice in page.one("main").all("div", class_="notice")]


def outline_of(page):
    return page.one("ol", class_="flow-outline").all("li", class_="outline-step")


def test_the_head_says_what_it_is(reader):
    flow = published(name="Reset a password", description="For one\nuser", domain=DomainFactory(name="Entra"))
    page = read(reader.get(url(flow)))
    assert page.one("h1").text == "Reset a password"
    facts = page.one("div", class_="pagehead-words").one("p").text
    assert facts == "Published Entra · Troubleshooting · Manual · Version 1"
    assert "For one" in page.one("main").text


def test_the_map_and_the_outline_show_each_step(reader):
    page = read(reader.get(url(published())))
    svg = page.one("svg", class_="map-sheet")
    assert [link.attributes["aria-label"] for link in svg.all("a", class_="card-link")] == [
        "1. Ask",
        "2. Solved (resolved)",
        "3. Fix",
    ]
    assert [link.attributes["aria-label"] for link in svg.all("a", class_="tag-link")] == [
        "Then: back to step 1"
    ]
    first, solved, fix = outline_of(page)
    assert [way.text for way in first.one("ul", class_="outline-ways").all("li")] == [
        "1 Solved to step 2",
        "2 Fix to step 3",
    ]
    assert solved.one("h3").text == "2Solved Resolved"
    assert fix.one("p", class_="outline-via").text == "Option of step 1 · 2"
    more = fix.one("details")
    assert more.one("summary").text == "Help and script"
    assert more.one("strong").text == "Ask"
    assert more.one("pre").text == "Get-ADUser {user}"
    assert (
        more.one("p", class_="outline-shell").text
        == "PowerShell · asks for Sign-in name, Password (kept secret)"
    )


def test_text_is_text_whatever_is_in_it(lead):
    hostile = question(
        "ask", "a", "b", title=HOSTILE, help=HOSTILE, children=[leaf("a", title=HOSTILE), leaf("b")]
    )
    hostile["options"][0]["label"] = HOSTILE
    flow = published(hostile, name=HOSTILE, description=HOSTILE, domain=DomainFactory(name=HOSTILE))
    response = lead.get(url(flow))
    page = read(response)
    assert page.one("h1").text == HOSTILE
    assert HOSTILE in outline_of(page)[0].one("h3").text
    assert b"<script>alert" not in response.content
    assert b" style=" not in response.content


def test_a_flow_that_was_never_published_shows_its_draft_to_authors_and_cannot_be_started(author):
    flow = FlowFactory(status="draft")
    FlowDraftFactory(flow=flow, structure=leaf("end"))
    page = read(author.get(url(flow)))
    assert [step.one("h3").text for step in outline_of(page)] == ["1End Resolved"]
    assert notices(page)[0].startswith("A draft: it can be started once it is published.")
    assert "Start session" not in page.one("main").text


def test_nobody_else_sees_what_was_never_published(reader):
    flow = FlowFactory(name="Half done", status="draft")
    FlowDraftFactory(flow=flow, structure=leaf("secret"))
    response = reader.get(url(flow))
    page = read(response)
    assert page.one("div", class_="empty").one("h2").text == "Not published yet"
    assert b"secret" not in response.content.lower()
    assert not page.all("details", class_="export")
    for rest, status in (
        ("export.json", 404),
        ("export.mmd?version=draft", 403),
        ("compare/?from=draft&to=draft", 403),
    ):
        assert reader.get(url(flow, rest)).status_code == status, rest
    assert "Half done" not in read(reader.get("/flows/?q=secret")).one("main").text
    assert reader.get(f"/api/v1/flows/{flow.id}").json()["structure"] is None
    assert reader.get("/api/v1/flows?q=secret").json()["items"] == []


def test_a_flow_without_steps_says_so(author):
    page = read(author.get(url(FlowFactory(status="draft"))))
    assert page.one("div", class_="empty").one("h2").text == "No steps yet"


def test_a_faulty_draft_is_shown_as_far_as_it_goes(author):
    flow = FlowFactory(status="draft")
    FlowDraftFactory(flow=flow, structure=question("ask", "gone", "a", children=[leaf("a"), leaf("lost")]))
    page = read(author.get(url(flow)))
    assert "leads nowhere" in outline_of(page)[0].text
    assert outline_of(page)[2].text.startswith("No path leads here")


def test_authors_are_told_of_a_draft_with_changes(author, reader, engineer):
    flow = published()
    FlowDraftFactory(
        flow=flow, structure=leaf(), edited_by=engineer, edited_at=datetime(2026, 3, 10, 9, tzinfo=UTC)
    )
    page = read(author.get(url(flow)))
    (notice,) = notices(page)
    assert notice == (
        "A draft with changes since version 1, last saved by Amira Haddad on 10 Mar 2026, 09:00. See what changed"
    )
    (link,) = page.one("main").one("div", class_="notice").all("a")
    assert "2 steps removed" in read(author.get(link.href)).one("main").text
    engineer.can_author = False
    engineer.save()
    assert notices(read(reader.get(url(flow)))) == []
    assert reader.get(link.href).status_code == 403
    assert reader.get(url(flow, "export.json?version=draft")).status_code == 403


def test_versions_with_who_when_and_why(lead, account, team_admin, engineer, super_admin):
    flow = published(leaf(), number=3)
    FlowVersionFactory(flow=flow, number=2, structure=leaf(), published_by=engineer, note=HOSTILE)
    FlowVersionFactory(flow=flow, number=1, structure=leaf(), published_by=super_admin)
    table = read(lead.get(url(flow))).one("section", aria_label="Versions").one("table")
    assert [row[:4] for row in table.rows()] == [
        ["Version 3 current", "10 Mar 2026, 09:00", "–", "–"],
        ["Version 2", "10 Mar 2026, 09:00", "Amira Haddad", HOSTILE],
        ["Version 1", "10 Mar 2026, 09:00", "Super admin", "–"],
    ]
    assert [link.href for link in table.all("a", class_="link")] == [
        url(flow, "compare/?from=2&to=3"),
        url(flow, "compare/?from=1&to=2"),
    ]
    account.names_hidden = True
    account.save()
    assert "Amira" not in read(lead.get(url(flow))).one("main").text


def test_one_version(reader, engineer):
    flow = published(leaf("newer"), number=2)
    FlowVersionFactory(flow=flow, number=1, structure=leaf("older"), published_by=engineer, note="The first")
    page = read(reader.get(url(flow, "versions/1/")))
    assert page.one("h1").text == "Version 1"
    assert [step.one("h3").text for step in outline_of(page)] == ["1Older Resolved"]
    assert notices(page) == ["Published 10 Mar 2026, 09:00 by Amira Haddad: The first"]
    assert read(reader.get(url(flow, "versions/2/"))).one("a", class_="button").href == url(
        flow, "compare/?from=1&to=2"
    )
    assert reader.get(url(flow, "versions/3/")).status_code == 404


def test_what_changed_in_words(reader):
    after = structure(title="Repair", help="Ask twice.")
    flow = published(after, number=2)
    FlowVersionFactory(flow=flow, number=1, structure=structure())
    page = read(reader.get(url(flow, "compare/?from=1&to=2")))
    assert page.one("p", class_="compare-words").text == "1 step changed from version 1 to version 2."
    (step,) = [one for one in page.one("section", aria_label="Changed").all("li") if one.all("h3")]
    assert step.one("h3").text == "3Repair"
    assert [detail.text for detail in step.one("ul").all("li")] == [
        "Title was “Fix”",
        "Help changed **Ask** first. Ask twice.",
    ]
    same = read(reader.get(url(flow, "compare/?from=2&to=2")))
    assert same.one("p", class_="compare-words").text == "Nothing changed from version 2 to version 2."


@pytest.mark.parametrize(
    "query", ["", "?from=1", "?from=1&to=x", "?from=²&to=1", "?from=1&to=99999999999", "?from=1&to=draft"]
)
def test_there_must_be_two_to_compare(lead, query):
    assert lead.get(url(published(), f"compare/{query}")).status_code == 404


def test_how_much_it_is_used(reader, lead, engineer, team_admin):
    flow = published(
        usage_count=2,
        last_matched_at=datetime(2026, 3, 10, 23, tzinfo=UTC),
        success_rate=0.5,
        quality_score=0.625,
        quality_calculated_at=datetime(2026, 3, 11, 4, tzinfo=UTC),
    )
    SessionFactory(user=engineer, flow=flow)
    SessionFactory(user=team_admin, flow=flow)
    figures = {}
    for client, user in ((reader, engineer), (lead, team_admin)):
        client.force_login(user)
        figures[user.role] = read(client.get(url(flow))).one("dl", class_="glance")
    for shown in figures.values():
        assert [one.text for one in shown.all("dd")] == ["2", "10 Mar 2026", "50.0 %", "62.5 %"]
        assert shown.one("p").text == "Rate and score: 90 days, as of 11 Mar 2026"
    assert figures["engineer"].all("a") == []
    assert listed(read(lead.get(figures["team_admin"].one("a").href)))[0] == 2


def test_the_file_holds_the_flow_as_it_runs(reader, account, engineer):
    flow = published(name="Réset <1>", description="Why", domain=DomainFactory(name="Entra"))
    FlowDraftFactory(flow=flow, structure=leaf("draft"))
    response = reader.get(url(flow, "export.json"))
    assert response["Content-Disposition"] == 'attachment; filename="reset-1-v1.json"'
    assert response["Content-Type"].startswith("application/json")
    assert json.loads(response.content) == {
        "name": "Réset <1>",
        "description": "Why",
        "domain": "Entra",
        "kind": "troubleshooting",
        "structure": structure(),
    }
    chart = reader.get(url(flow, "export.mmd")).content.decode()
    assert chart.startswith('---\ntitle: "R\\u00e9set <1>"\n---\nflowchart TD\n    ask{"Ask"}\n')
    entry = AuditEntry.objects.filter(action="flow.exported").first()
    assert (entry.actor, entry.account, entry.object) == (engineer, account, "Réset <1>")
    assert entry.detail == {"format": "mmd", "version": "1"}


def test_a_version_and_the_draft_have_files_too(author):
    flow = published(leaf("newer"), number=2)
    FlowVersionFactory(flow=flow, number=1, structure=leaf("older"))
    FlowDraftFactory(flow=flow, structure=leaf("draft"))
    for version, id_ in (("1", "older"), ("2", "newer"), ("draft", "draft")):
        response = author.get(url(flow, f"export.json?version={version}"))
        assert json.loads(response.content)["structure"]["id"] == id_
    assert author.get(url(flow, "export.json?version=3")).status_code == 404
    assert author.get(url(flow, "export.pdf")).status_code == 404
    assert author.get(url(FlowFactory(), "export.json")).status_code == 404


def test_authors_archive_a_flow_and_have_it_back(author, engineer):
    flow = published(name="Old")
    page = read(author.post(url(flow, "archive/"), follow=True))
    assert "This flow is archived" in notices(page)[0]
    assert "Start session" not in page.one("main").text
    author.post(url(flow, "archive/"))
    page = read(author.post(url(flow, "restore/"), follow=True))
    assert notices(page) == []
    flow.refresh_from_db()
    assert flow.status == Flow.Status.PUBLISHED
    entries = AuditEntry.objects.filter(object="Old").order_by("at").values_list("action", "actor")
    assert list(entries) == [("flow.archived", engineer.id), ("flow.restored", engineer.id)]


@pytest.mark.parametrize("rest", ["archive/", "restore/", "edit/publish/", "edit/discard/"])
def test_a_draft_that_is_deleted_under_the_hands_of_its_author_is_gone(author, monkeypatch, rest):
    """The page finds it, and then its proposal is turned down."""
    flow = FlowFactory(status="archived" if rest == "restore/" else "draft")
    FlowDraftFactory(flow=flow)

    def gone(*_, **__):
        raise Flow.DoesNotExist

    monkeypatch.setattr("flowpilot.flows.archiving._locked", gone)
    monkeypatch.setattr("flowpilot.flows.editor.saving.publish", gone)
    monkeypatch.setattr("flowpilot.flows.editor.saving.discard", gone)
    assert author.post(url(flow, rest), {"mark": "1", "note": "First version."}).status_code == 404


def test_a_draft_comes_back_as_a_draft(author):
    flow = FlowFactory(status="archived")
    author.post(url(flow, "restore/"))
    flow.refresh_from_db()
    assert flow.status == Flow.Status.DRAFT


def test_a_flow_whose_name_is_taken_meanwhile_stays_archived(author):
    flow = published(name="Twice", status="archived")
    FlowFactory(name="twice")
    page = read(author.post(url(flow, "restore/"), follow=True))
    assert "Another flow has the name Twice now." in page.one("div", class_="toasts").text
    flow.refresh_from_db()
    assert flow.status == Flow.Status.ARCHIVED


def test_who_writes_no_flows_changes_none(reader):
    flow = published()
    page = read(reader.get(url(flow)))
    assert page.one("main").all("form") == []
    for act in ("archive/", "restore/"):
        assert reader.post(url(flow, act)).status_code == 403
    flow.refresh_from_db()
    assert flow.status == Flow.Status.PUBLISHED


def test_a_flow_of_another_account_does_not_exist(client, stranger, account):
    flow = published()
    FlowDraftFactory(flow=flow)
    client.force_login(stranger)
    for rest in ("", "versions/1/", "compare/?from=1&to=1", "export.json", "export.mmd?version=draft"):
        assert client.get(url(flow, rest)).status_code == 404
    for act in ("archive/", "restore/"):
        assert client.post(url(flow, act)).status_code == 404


def test_many_versions_and_steps_cost_no_more_queries(author, engineer):
    def queries(flow):
        with CaptureQueriesContext(connection) as asked:
            assert author.get(url(flow)).status_code == 200
        return len(asked)

    few, many = published(), FlowFactory()
    FlowDraftFactory(flow=few, edited_by=engineer)
    steps = [action(f"s{n}", f"s{n + 1}") for n in range(1, 200)] + [leaf("s200")]
    for number in range(1, 41):
        version = FlowVersionFactory(flow=many, number=number, published_by=engineer, structure=leaf())
    version.structure = action("s0", "s1", children=steps)
    version.save()
    many.current_version = version
    many.save()
    FlowDraftFactory(flow=many, edited_by=engineer)
    assert FlowDraft.objects.count() == 2
    assert queries(many) == queries(few)
