"""FlowPilot's tabs as their reader sees them, and who may."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from analytics.dashboards import FLOWPILOT
from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    PsaActivityLogFactory,
    SessionFactory,
    StepFactory,
)
from ratings.tests.factories import StepRatingFactory
from resolutionflow.tests.pages import cards, listed, read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
PAGE = "/analytics/flowpilot/"
TABS = [tab.value for tab in FLOWPILOT]


@pytest.fixture(autouse=True)
def _noon(clock):
    clock(NOW)


def sessions(count, *, days_ago=1, minutes=10, **facts):
    started_at = timezone.now() - timedelta(days=days_ago)
    if facts.get("status", "resolved") in ("resolved", "escalated", "unresolved"):
        facts["completed_at"] = started_at + timedelta(minutes=minutes)
    return SessionFactory.create_batch(count, started_at=started_at, **facts)


def page_of(client, tab="", **parameters):
    return read(client.get(PAGE, ({"tab": tab} if tab else {}) | parameters))


def test_the_overview_is_the_first_tab(client, team_admin):
    sessions(6, minutes=30, step_count=4)
    sessions(2, status="escalated")
    client.force_login(team_admin)
    page = page_of(client)
    assert page.one("nav", class_="tabs").one("a", aria_current="page").text == "Overview"
    told = cards(page)
    assert told["Sessions"].startswith("8")
    assert told["Resolution rate"].startswith("75.0 %")
    assert told["Mean time to resolve"].startswith("30.0 min")
    assert told["Steps to resolution"].startswith("4.0")
    assert told["Estimated time saved"].startswith("–")


def test_time_saved_says_what_it_rests_on(client, team_admin):
    domain = DomainFactory()
    sessions(10, minutes=10, domain=domain, confidence_tier="guided")
    sessions(10, minutes=40, domain=domain, confidence_tier="discovery")
    sessions(3, domain=DomainFactory())
    client.force_login(team_admin)
    saved = cards(page_of(client))["Estimated time saved"]
    assert saved.startswith("5.00 h nothing to compare with")
    assert "10 guided sessions in 1 domain; 1 domain left out" in saved


def test_time_saved_and_logged_are_compared_with_the_period_before(client, team_admin):
    domain = DomainFactory()
    for days_ago, minutes, hours in ((1, 40, "2.00"), (31, 25, "0.75")):
        sessions(10, days_ago=days_ago, minutes=10, domain=domain, confidence_tier="guided")
        sessions(10, days_ago=days_ago, minutes=minutes, domain=domain, confidence_tier="exploring")
        PsaActivityLogFactory(
            session=sessions(1, days_ago=days_ago)[0],
            activity_type="time_entry_posted",
            hours_logged=hours,
            created_at=NOW - timedelta(days=days_ago),
        )
    client.force_login(team_admin)
    to = "to the 30 days before, to this hour"
    assert cards(page_of(client))["Estimated time saved"].startswith(f"5.00 h ▲up 2.50 h, better {to}")
    told = cards(page_of(client, "psa"))
    assert told["Time entries"] == f"1 no change {to}"
    assert told["Hours logged"] == f"2.00 h ▲up 1.25 h {to}"
    assert told["Hours per session"] == f"2.00 h ▲up 1.25 h {to}"


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_is_a_page_and_shows_only_its_own_panels(client, team_admin, tab):
    sessions(1, domain=DomainFactory())
    client.force_login(team_admin)
    page = page_of(client, tab)
    own = next(dashboard for dashboard in FLOWPILOT if dashboard.value == tab)
    shown = [section.attributes["id"] for section in page.all("section") if "id" in section.attributes]
    assert shown == [f"panel-{section.name}" for section in own.sections]
    others = [a.href for a in page.one("nav", class_="tabs").all("a")]
    assert [f"tab={value}&" in href for value, href in zip(TABS, others, strict=True)] == [True] * 4


def test_a_swap_brings_the_frame_and_its_title_and_each_panel_comes_by_itself(client, team_admin):
    sessions(1)
    client.force_login(team_admin)
    answer = client.get(PAGE, {"tab": "coverage"}, headers={"HX-Request": "true"}).content.decode()
    assert "<title>Coverage · FlowPilot · ResolutionFlow</title>" in answer
    assert "/analytics/flowpilot/coverage/panels/heatmap/?period=30d" in answer
    assert "Mean time to resolve" not in answer


@pytest.mark.parametrize("tab", ["nonsense", "overview/", "\0"])
def test_an_unknown_tab_is_not_there(client, team_admin, tab):
    client.force_login(team_admin)
    assert client.get(PAGE, {"tab": tab}).status_code == 404


def test_an_engineer_is_sent_to_their_own_figures(client, engineer):
    client.force_login(engineer)
    answer = client.get(PAGE)
    assert answer.status_code == 403
    assert read(answer).all("a", href="/analytics/me/")


def test_an_empty_account_says_so_on_every_tab(client, team_admin):
    client.force_login(team_admin)
    for tab in TABS:
        assert page_of(client, tab).all("div", class_="empty"), tab


def test_the_heatmap_says_each_level_in_a_word_too(client, team_admin):
    domain = DomainFactory(name="VPN <script>")
    sessions(8, domain=domain, confidence_tier="guided")
    sessions(2, domain=domain, status="escalated", confidence_tier="guided")
    sessions(4, domain=DomainFactory(name="Rare"))
    sessions(3)
    FlowFactory(domain=domain, name="Tunnel")
    client.force_login(team_admin)
    panel = page_of(client, "coverage").one("section", id="panel-heatmap")
    rows = {row[0].split()[0]: row for row in panel.rows()}
    assert rows["VPN"][1:7] == ["1 watch", "10", "80.0 % good", "20.0 % watch", "100.0 % good", "10.0 min"]
    assert rows["Rare"][1:6] == [
        "0 poor",
        "4",
        "4 of 4 too few sessions",
        "0 of 4 too few sessions",
        "0 of 4 too few sessions",
    ]
    assert "Tunnel" in rows["VPN"][0]
    creates = [a.href for a in panel.all("a", class_="button")]
    assert len(creates) == 1
    assert creates[0].startswith("/flows/new/?domain_id=")
    assert "3 sessions" in panel.one("header").text


def test_the_client_narrows_sessions_but_not_flows(client, team_admin):
    domain, acme = DomainFactory(name="VPN"), ClientFactory(name="Acme")
    FlowFactory(domain=domain)
    sessions(5, domain=domain)
    sessions(2, domain=domain, client=acme)
    client.force_login(team_admin)
    panel = page_of(client, "coverage", client_id=str(acme.id)).one("section", id="panel-heatmap")
    assert panel.rows()[0][1:3] == ["1 watch", "2"]


def quality_rows(page):
    return [
        row.all("a", class_="link")[0].text
        for row in page.one("section", id="panel-quality").one("tbody").all("tr")
    ]


def test_flows_are_sorted_on_the_server(client, team_admin):
    for name, count in (("Bravo", 6), ("Alpha", 7), ("Charlie", 5)):
        flow = FlowFactory(name=name)
        FlowVersionFactory(flow=flow, published_at=NOW)
        sessions(count, flow=flow, status="resolved" if name != "Alpha" else "escalated")
    client.force_login(team_admin)
    assert quality_rows(page_of(client, "flow-quality")) == ["Bravo", "Charlie", "Alpha"]
    by_usage = page_of(client, "flow-quality", sort="usage")
    assert quality_rows(by_usage) == ["Alpha", "Bravo", "Charlie"]
    heading = by_usage.one("th", aria_sort="descending")
    assert heading.text.startswith("Sessions")
    assert quality_rows(read(client.get(heading.one("a").href))) == ["Charlie", "Bravo", "Alpha"]
    assert quality_rows(page_of(client, "flow-quality", sort="name")) == ["Alpha", "Bravo", "Charlie"]


def test_the_badge_names_its_reason_and_the_score_its_parts(client, team_admin):
    weak, unused, few = FlowFactory(name="Weak"), FlowFactory(name="Unused"), FlowFactory(name="Few")
    for flow in (weak, unused, few):
        FlowVersionFactory(flow=flow, published_at=NOW - timedelta(days=31))
    sessions(3, flow=weak, status="escalated")
    sessions(2, flow=weak)
    sessions(4, flow=few, status="escalated")
    client.force_login(team_admin)
    table = page_of(client, "flow-quality").one("section", id="panel-quality")
    rows = {row[0].split()[0]: row for row in table.rows()}
    assert "Needs attention fewer than half resolved" in rows["Weak"][0]
    assert "Needs attention not used for 30 days" in rows["Unused"][0]
    assert "Needs attention" not in rows["Few"][0]
    assert "Success rate 40.0 % × 50 %" in rows["Weak"][5]


def test_a_bad_sort_says_so_over_the_usual_order(client, team_admin):
    FlowFactory(name="Only")
    client.force_login(team_admin)
    page = page_of(client, "flow-quality", sort="nonsense")
    assert "The table cannot be sorted by this." in page.text
    assert quality_rows(page) == ["Only"]


def test_gaps_have_their_evidence_and_one_action(client, team_admin):
    sessions(8, domain=DomainFactory(name="Telephony"))
    client.force_login(team_admin)
    (gap,) = page_of(client, "coverage", panels="all").one("section", id="panel-gaps").one("ul").all("li")
    assert "Telephony has no published flow" in gap.text
    assert "Medium 8 sessions" in gap.text
    assert gap.one("a", class_="figure").href.startswith("/sessions/?period=30d&domain_id=")
    assert gap.one("a", class_="button").href.startswith("/flows/new/?domain_id=")


def test_gaps_come_after_the_page_and_on_demand_without_a_script(client, team_admin):
    sessions(8, domain=DomainFactory(name="Telephony"))
    client.force_login(team_admin)
    page = page_of(client, "coverage")
    assert "Telephony has no published flow" not in page.text
    asked = page.one("section", id="panel-missing").attributes["hx-get"]
    assert "Telephony has no published flow" in read(client.get(asked)).text
    whole = page.one("p", class_="no-js").one("a")
    assert whole.text == "Show the knowledge gaps"
    assert "Telephony has no published flow" in read(client.get(whole.href)).text


def test_a_step_that_does_not_help_opens_the_thumbs_down(client, team_admin):
    flow = FlowFactory(name="Phone")
    step = StepFactory(flow=flow, node_id="n1", title="Restart it")
    for number, made in enumerate(sessions(8, flow=flow, user=team_admin)):
        StepRatingFactory(step=step, session=made, was_helpful=number == 0)
    client.force_login(team_admin)
    (gap,) = page_of(client, "coverage", panels="all").one("section", id="panel-gaps").one("ul").all("li")
    assert "“Restart it” in “Phone” does not help" in gap.text
    assert "7 of 8 thumbs down (helpful" in gap.text
    assert listed(read(client.get(gap.one("a", class_="figure").href)))[0] == 7


def test_psa_counts_what_was_logged_and_how_far_sessions_came(client, team_admin):
    (first, *_) = sessions(2, psa_ticket_id="1")
    sessions(2)
    for hours in ("0.50", "1.25"):
        PsaActivityLogFactory(
            session=first,
            activity_type="time_entry_posted",
            hours_logged=hours,
            created_at=NOW - timedelta(hours=3),
        )
    client.force_login(team_admin)
    page = page_of(client, "psa")
    assert cards(page)["Hours logged"] == "1.75 h nothing to compare with"
    assert (
        "4 sessions, 2 with a ticket (50.0 %), of these 0 with a note (0.0 %), 1 with time logged (50.0 %)."
        in page.text
    )
    assert "2 time entries, 1.75 h; most on 31 Mar 2026" in page.text


def test_a_stranger_finds_nothing_of_it(client, stranger, account):
    sessions(5, domain=DomainFactory(name="Secret field"), flow=FlowFactory(name="Secret flow"))
    client.force_login(stranger)
    for tab in TABS:
        assert "Secret" not in client.get(PAGE, {"tab": tab}).content.decode()


@pytest.mark.parametrize("tab", TABS)
def test_no_panel_asks_more_than_twice_however_much_there_is(
    client, team_admin, tab, django_assert_max_num_queries
):
    own = next(dashboard for dashboard in FLOWPILOT if dashboard.value == tab)
    client.force_login(team_admin)
    for panel in own.panels:
        address = f"/analytics/flowpilot/{tab}/panels/{panel.name}/"
        with django_assert_max_num_queries(2 + 2):  # the login and its user
            client.get(address)
    sessions(60, domain=DomainFactory(), flow=FlowFactory(), psa_ticket_id="1")
    for panel in own.panels:
        address = f"/analytics/flowpilot/{tab}/panels/{panel.name}/"
        with django_assert_max_num_queries(2 + 2):
            assert client.get(address).status_code == 200
