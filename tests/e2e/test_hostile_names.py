"""Names and problems that people, or a ticket system, may really write. They are shown as they are and do no harm."""

import pytest
from playwright.sync_api import expect

from flowpilot.tests.factories import ClientFactory, DomainFactory, FlowFactory, SessionFactory
from resolutionflow.tests.factories import UserFactory
from tests.e2e.looks import NARROW
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("look", [NARROW], ids=str)]

NAMES = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>'`",
    "</script><script>alert(3)</script>{{ 7*7 }}{% now %}",
    "🧑🏽‍💻 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🔥",
    "مكتب المساعدة \u202edrah\u202c",
    '=HYPERLINK("http://example.org","x")',
    "W" * 200,
]


def test_hostile_names_are_only_names(page, account, team_admin, look):
    for number, name in enumerate(NAMES):
        session = SessionFactory(
            user=UserFactory(account=account, name=name, email=f"odd{number}@northgate.example"),
            client=ClientFactory(name=name),
            domain=DomainFactory(name=name),
            flow=FlowFactory(name=name),
            problem_summary=name,
            started_at=NOW,
            decisions=[{"id": "1", "node_id": "1", "title": name, "answer": name, "note": name, "at": None}],
            psa_ticket_id=name[:100],
        )
    log_in(page, team_admin)
    page.goto("/analytics/")
    for table in ("Top flows", "Top engineers"):
        names = page.get_by_role("table", name=table, exact=True).get_by_role("rowheader")
        assert sorted(names.all_inner_texts()) == sorted(NAMES)
    page.get_by_label("Client", exact=True).select_option(NAMES[0])
    expect(page.locator(".stat", has_text="Total sessions").locator(".figure")).to_have_text("1")

    page.goto("/sessions/")
    links = page.get_by_role("table", name="Sessions").get_by_role("rowheader").get_by_role("link")
    assert sorted(links.all_inner_texts()) == sorted(NAMES)
    for name in NAMES:
        page.get_by_role("searchbox").fill(name)
        page.get_by_role("searchbox").press("Enter")
        expect(page.get_by_role("list", name="Filters")).to_contain_text(name)
        expect(links).to_have_text([name])
    page.goto(f"/sessions/{session.id}/")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAMES[-1])
    page.get_by_role("link", name="Sessions").last.click()
    links.filter(has_text=NAMES[1]).click()
    expect(page.locator(".timeline > li")).to_contain_text(NAMES[1])
