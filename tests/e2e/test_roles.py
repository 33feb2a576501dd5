"""What an engineer sees, and how a super admin moves between accounts."""

import pytest
from playwright.sync_api import expect

from flowpilot.models import Session
from flowpilot.tests.factories import SessionFactory
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory
from tests.e2e.people import log_in
from tests.e2e.rows import NOW
from tests.e2e.team_page import listed, stat

pytestmark = pytest.mark.browser


@pytest.fixture
def southgate(other_account):
    """Another MSP with one session."""
    with account_scope(other_account):
        SessionFactory(
            user=UserFactory(account=other_account, name="Olu Adeyemi"),
            started_at=NOW,
            problem_summary="Scanner does not scan",
        )
    return other_account


def test_an_engineer_sees_the_own_sessions_only(page, team, engineer):
    log_in(page, engineer)
    page.goto("/sessions/")
    expect(page.get_by_role("heading", level=1)).to_have_text("My sessions")
    listed(page, 5)
    expect(page.get_by_label("Engineer", exact=True)).to_have_count(0)
    own = page.get_by_role("navigation", name="Main").get_by_role("link", name="Analytics")
    expect(own).to_have_attribute("href", "/analytics/me/")
    page.get_by_role("link", name="Outlook asks for the password again").click()
    expect(page.get_by_role("img", name="4 of 5 stars")).to_be_visible()
    expect(page.get_by_text("Quick")).to_be_visible()


def test_an_engineer_is_refused_team_analytics_with_a_way_on(page, complaints, team, engineer):
    complaints.expect("status of 403")
    log_in(page, engineer)
    assert page.goto("/analytics/").status == 403
    expect(page.get_by_text("You don't have access to team analytics")).to_be_visible()
    page.get_by_role("main").get_by_role("link").click()
    expect(page).to_have_url("/analytics/me/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Analytics")


def test_an_engineer_may_not_read_a_colleagues_session(page, complaints, team, colleague):
    complaints.expect("status of 403")
    log_in(page, colleague)
    assert page.goto(f"/sessions/{team.newest.id}/").status == 403
    expect(page.get_by_text("This is a colleague's session.")).to_be_visible()


def test_a_session_of_another_account_is_not_there(page, complaints, team, team_admin, southgate):
    complaints.expect("status of 404")
    with account_scope(southgate):
        foreign = Session.objects.get()
    log_in(page, team_admin)
    assert page.goto(f"/sessions/{foreign.id}/").status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


def test_a_super_admin_picks_an_account_and_switches_it_where_they_are(page, team, super_admin, southgate):
    log_in(page, super_admin)
    page.goto("/analytics/?period=7d")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose an account")
    page.get_by_role("main").get_by_role("button", name="Northgate IT").click()
    expect(page).to_have_url("/analytics/?period=7d")
    expect(stat(page, "Total sessions")).to_have_text("6")

    page.get_by_role("navigation", name="Main").get_by_label("Account").select_option("Southgate IT")
    expect(stat(page, "Total sessions")).to_have_text("1")
    expect(page).to_have_url("/analytics/?period=7d")
    page.get_by_role("link", name="Sessions", exact=True).click()
    listed(page, 1)
    expect(page.get_by_role("link", name="Scanner does not scan")).to_be_visible()

    page.goto("/admin/flowpilot/session/")
    expect(page.get_by_role("link", name="Scanner does not scan")).to_be_visible()
    page.get_by_label("Account", exact=True).select_option("Northgate IT")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page).to_have_url("/admin/")
    page.goto("/admin/flowpilot/session/")
    expect(page.get_by_text("10 sessions")).to_be_visible()
    expect(page.get_by_role("link", name="Scanner does not scan")).to_have_count(0)


def test_the_back_office_without_a_choice_offers_what_belongs_to_no_account(page, team, super_admin):
    log_in(page, super_admin)
    page.goto("/admin/")
    expect(page.get_by_role("link", name="Users", exact=True).first).to_be_visible()
    expect(page.get_by_role("link", name="Sessions", exact=True)).to_have_count(0)


def test_the_back_office_keeps_to_the_policy(page, team, super_admin, engineer):
    """Nothing is asserted of Django's own pages but that they work and break no rule: `page` sees to the latter."""
    log_in(page, super_admin)
    page.goto("/admin/")
    page.get_by_label("Account", exact=True).select_option("Northgate IT")
    page.get_by_role("button", name="Open", exact=True).click()

    page.goto("/admin/flowpilot/session/?outcome__exact=resolved&status__exact=resolved")
    expect(page.locator("#result_list tbody tr")).to_have_count(5)
    page.get_by_role("link", name="Outlook hangs at start").click()
    expect(page.get_by_role("heading", name="View session")).to_be_visible()

    page.goto("/admin/flowpilot/domain/add/")
    page.get_by_label("Name").fill("Printing")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    page.get_by_role("link", name="Printing").first.click()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("cell", name="Added.")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Yes, I’m sure").click()
    expect(page.get_by_text("was deleted successfully")).to_be_visible()

    page.goto(f"/admin/flowpilot/client/{team.harbour.id}/delete/")
    expect(page.get_by_text("Cannot delete client").first).to_be_visible()
    page.goto(f"/admin/flowpilot/flow/{team.vpn.id}/change/")
    page.get_by_role("link", name="Add another domain").click()  # opens a window of its own
    page.goto("/admin/resolutionflow/user/?role__exact=engineer")
    page.get_by_role("link", name="Amira Haddad").click()
    page.get_by_label("Role").select_option("Team admin")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.goto("/admin/resolutionflow/auditentry/")
    expect(page.get_by_role("cell", name="user.changed")).to_be_visible()
