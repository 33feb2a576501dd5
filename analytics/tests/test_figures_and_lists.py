"""Each number of the team page against the list that it opens: what is counted and what is shown are the same."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from flowpilot.models import Session
from flowpilot.tests.factories import ClientFactory, FlowFactory, SessionFactory
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory
from resolutionflow.tests.pages import embedded_json, listed, read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)  # two days after the clocks of London went forward
STATUSES = ["resolved", "resolved", "active", "escalated", "abandoned", "unresolved", "requesting_escalation"]


@pytest.fixture
def team(account, other_account, clock):
    """220 sessions over 110 days: one every twelve hours, at the first and in the middle instant of each UTC day."""
    clock(NOW)
    engineers = [UserFactory(account=account, name=f"Engineer {n}") for n in range(12)]
    flows = [None, *(FlowFactory(name=f"Flow {n}") for n in range(13))]
    clients = [None, ClientFactory(name="Acme"), ClientFactory(name="Contoso")]
    sessions = [
        SessionFactory.build(
            account=account,
            user=engineers[n * n % 12],
            flow=flows[n * n % 14],
            client=clients[n % 3],
            started_at=datetime(2026, 3, 31, tzinfo=UTC) - timedelta(hours=12 * n),
            status=STATUSES[n % 7],
            **({"outcome": "workaround"} if n % 14 == 1 else {}),
        )
        for n in range(220)
    ]
    Session.objects.bulk_create(sessions)
    for n, session in enumerate(sessions):
        if session.completed_at and n % 15 == 0:
            SessionRatingFactory(session=session, rating=1 + n % 4)
    with account_scope(other_account):
        SessionFactory.create_batch(
            5, user=UserFactory(account=other_account), started_at=NOW - timedelta(days=1)
        )
    return {"engineer": engineers[1], "client": clients[1]}


def opened(client, href):
    """How many sessions the list says that it has; no filter of a link may be refused."""
    response = client.get(href)
    assert response.status_code == 200
    page = read(response)
    assert not page.all("div", role="alert"), href
    return listed(page)[0]


def percent(part, whole):
    return f"{(Decimal(100) * part / whole).quantize(Decimal('0.1'), ROUND_HALF_UP)}"


def check_rate(client, link, whole):
    """A rate opens the sessions that are its part; gives how many."""
    part = opened(client, link.href)
    if whole < 5:
        assert link.text == f"{part} of {whole}"
    else:
        assert link.text.removesuffix(" %") == percent(part, whole)
    return part


def check_cards(client, page):
    links = {
        card.one("div", class_="stat-label").all("span")[0].text: card.one("a", class_="figure")
        for card in page.all("div", class_="stat")
    }
    assert set(links) == {"Total sessions", "Completion rate", "Median duration", "Active engineers"}
    total = opened(client, links["Total sessions"].href)
    assert links["Total sessions"].text == str(total)
    completed = check_rate(client, links["Completion rate"], total)
    assert opened(client, links["Median duration"].href) == completed
    assert opened(client, links["Active engineers"].href) == total
    return total


def check_table(client, section, with_csat):
    """Every row's links; gives how many sessions each row has."""
    counted = []
    for row in section.one("tbody").all("tr"):
        cells = row.all("td")
        links = [cell.all("a", class_="figure") for cell in cells]
        sessions = opened(client, links[0][0].href)
        assert links[0][0].text == str(sessions)
        counted.append(sessions)
        completed = check_rate(client, links[1][0], sessions)
        if completed:
            assert opened(client, links[2][0].href) == completed
        else:
            assert cells[2].text == "–"
        if with_csat and links[3]:
            rated = opened(client, links[3][0].href)
            assert f"n = {rated} · {percent(rated, completed)} %" in cells[3].text
        elif with_csat:
            assert "–" in cells[3].text
    assert counted == sorted(counted, reverse=True)
    return counted


def check_chart(client, page, total, open_links):
    chart = embedded_json(page, "figure-outcomes-json")
    lines = {trace["name"]: trace for trace in chart["data"]}
    rows = page.one("figure").one("table").rows()
    headings = [heading.text for heading in page.one("figure").one("thead").all("th")]
    assert headings == ["Day", "Sessions", "Resolved", "Workaround", "Escalated", "Unresolved"]
    for column, name in enumerate(["All sessions", *headings[2:]], start=1):
        assert [str(y) for y in lines[name]["y"]] == [row[column] for row in rows]
    assert sum(lines["All sessions"]["y"]) == total
    if open_links:
        for trace in chart["data"]:
            assert [opened(client, href) for href in trace["customdata"]] == trace["y"]


@pytest.mark.parametrize(
    ("query", "open_chart"),
    [
        ("", False),
        ("?period=7d", True),
        ("?period=90d", False),
        ("?from=2026-03-28&to=2026-03-30", True),  # the clocks go forward on the 29th
        ("?from=2026-01-31&to=2026-02-28", False),
        ("?period=7d&engineer_id={engineer}", False),
        ("?client_id={client}", False),
        ("?period=90d&client_id={client}&engineer_id={engineer}", False),
        ("?period=bogus", False),
    ],
)
def test_every_number_opens_a_list_of_that_many(client, team_admin, team, query, open_chart):
    client.force_login(team_admin)
    query = query.format(engineer=team["engineer"].id, client=team["client"].id)
    page = read(client.get(f"/analytics/{query}"))
    total = check_cards(client, page)
    assert total > 0
    flows = check_table(client, page.one("section", id="panel-flows"), with_csat=True)
    assert len(flows) <= 10
    engineers = check_table(client, page.one("section", id="panel-engineers"), with_csat=False)
    assert sum(engineers) <= total
    check_chart(client, page, total, open_chart)


def test_a_panel_alone_has_the_links_of_the_page(client, team_admin, team):
    client.force_login(team_admin)
    page = read(client.get("/analytics/?period=7d"))
    panels = [
        read(client.get(f"/analytics/panels/{name}/?period=7d"))
        for name in ("summary", "outcomes", "flows", "engineers")
    ]
    of_panels = [(link.text, link.href) for panel in panels for link in panel.all("a", class_="figure")]
    assert of_panels == [(link.text, link.href) for link in page.one("main").all("a", class_="figure")]
    assert len(of_panels) > 20


def test_the_numbers_of_a_super_admin_open_their_lists_too(client, super_admin, account, team):
    client.force_login(super_admin)
    login = client.session
    login["chosen_account"] = str(account.id)
    login.save()
    check_cards(client, read(client.get("/analytics/")))
