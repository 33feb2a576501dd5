"""axe finds nothing on any page, wide and narrow, light and dark. The error pages are in test_error_pages.py.

Django's back office and the API's docs are other people's pages and left out.
"""

import pytest
from playwright.sync_api import expect

from flowpilot.flows import publishing
from flowpilot.models import FlowVersion, Session
from flowpilot.sessions import driving, starting
from flowpilot.tests.factories import FlowDraftFactory, FlowFactory, FlowVersionFactory, StepFactory
from flowpilot.tests.structures import action, leaf, question
from tests.e2e.axe import axe, in_every_look
from tests.e2e.looks import NARROW_DARK
from tests.e2e.people import log_in
from tests.e2e.rows import NOW

pytestmark = pytest.mark.browser


def test_signing_in(page, db):
    for address in (
        *("login/", "inactive/", "password/reset/", "password/reset/done/"),
        *("password/reset/key/1-gone/", "password/reset/key/done/"),
    ):
        page.goto(f"/accounts/{address}")
        in_every_look(page)


def test_a_form_with_errors(page, db):
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("nobody@northgate.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    in_every_look(page)


def test_flow_analytics(page, walked, team_admin):
    log_in(page, team_admin)
    page.goto(f"/analytics/flows/{walked.id}/")
    expect(page.locator("#chart-days .main-svg").first).to_be_visible()
    in_every_look(page)


def test_team_analytics(page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/analytics/?from=2025-06-01&to=2025-06-30")
    expect(page.get_by_text("No sessions in this period")).to_be_visible()
    in_every_look(page)
    page.goto("/analytics/?period=5y")  # the usual period, and the message
    expect(page.locator("#chart-outcomes .main-svg").first).to_be_visible()
    in_every_look(page)
    page.get_by_text("Show data").click()
    page.locator("#period-custom").click()
    in_every_look(page)


def test_sessions(page, team, team_admin, engineer):
    log_in(page, team_admin)
    session = Session.objects.get(psa_ticket_id="T-1001")
    for address in (
        "/sessions/?q=outlook&outcome=resolved",
        "/sessions/?q=none",
        f"/sessions/{team.newest.id}/",
    ):
        page.goto(address)
        in_every_look(page)
    log_in(page, engineer)
    page.goto(f"/sessions/{session.id}/")
    in_every_look(page)


def test_ratings(page, team, engineer):
    step = StepFactory(flow=team.newest.flow)
    log_in(page, engineer)
    page.goto(f"/sessions/{team.newest.id}/steps/{step.id}/thumb/")
    in_every_look(page)
    page.get_by_role("button", name="Not helpful").click()
    page.get_by_label("Outdated").check()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    in_every_look(page)
    rated = Session.objects.get(rating__isnull=False)
    for session in (team.newest, rated):
        page.goto(f"/sessions/{session.id}/rating/")
        in_every_look(page)


def test_home_and_the_library(page, team, team_admin, engineer):
    log_in(page, team_admin)
    page.goto("/")  # a new account: no flow yet
    in_every_look(page)
    for address in ("/flows/", "/flows/new/", "/flows/starter/", "/flows/starter/computer-is-slow/"):
        page.goto(address)
        in_every_look(page)
    page.get_by_role("link", name="Choose it").click()
    page.get_by_label("Computer is slow").check()
    page.get_by_role("button", name="Copy 1 flow").click()
    page.goto("/flows/?q=slow&sort=x")
    in_every_look(page)
    log_in(page, engineer)
    page.goto("/")
    in_every_look(page)


def test_working_in_a_session(page, team, team_admin, engineer, colleague):
    log_in(page, engineer)
    page.goto("/sessions/new/")
    in_every_look(page)
    team.outlook.current_version = FlowVersion.objects.get(flow=team.outlook)
    team.outlook.save()
    session = starting.start(engineer, problem_summary="Outlook hangs", flow=team.outlook, now=NOW)
    address = f"/sessions/{session.id}/"
    for path in (address, f"{address}finish/", f"{address}help/"):
        page.goto(path)
        in_every_look(page)
    driving.leave_flow(session.id, decision_id="left", now=NOW)
    driving.decide(
        session.id, decision_id="a", title="Started in safe mode", answer="Works", note="x", now=NOW
    )
    driving.take_back(session.id, decision_id="a", now=NOW)
    driving.ask_for_help(session.id, reason="No idea", now=NOW)
    page.goto(address)
    in_every_look(page)
    page.get_by_role("link", name="Finish").click()
    expect(page.get_by_role("dialog", name="Finish the session")).to_be_visible()
    in_every_look(page)
    log_in(page, colleague)
    page.goto(address)
    in_every_look(page)


def test_the_pages_around_them(page, team, team_admin, super_admin):
    log_in(page, team_admin)
    for address in ("/help/metrics/", "/accounts/password/change/", "/accounts/logout/"):
        page.goto(address)
        in_every_look(page)
    log_in(page, super_admin)
    page.goto("/accounts/choose/")
    in_every_look(page)


def test_settings(page, team, team_admin, engineer):
    log_in(page, team_admin)
    for address in ("profile/", "account/", "users/", "users/invite/", f"users/{engineer.pk}/deactivate/"):
        page.goto(f"/settings/{address}")
        in_every_look(page)
    page.goto(f"/settings/users/{engineer.pk}/")
    in_every_look(page)
    page.get_by_role("link", name="Deactivate…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    in_every_look(page)
    page.goto("/settings/tokens/")
    page.get_by_label("Label of a new token").fill("Wallboard")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_label("Token", exact=True)).to_be_visible()
    in_every_look(page)
    page.get_by_role("link", name="Revoke Wallboard").click()
    in_every_look(page)


def test_the_flow_editor(page, noon, account, team_admin):
    flow = publishing.create(name="Mail does not arrive", user=team_admin, now=NOW)
    log_in(page, team_admin)
    for address in (
        "",
        "?step=solved",
        "ask/delete/?step=solved",
        "ask/move/?step=solved",
        "flow/",
        "publish/",
        "discard/",
    ):
        page.goto(f"/flows/{flow.id}/edit/{address}")
        in_every_look(page)
    page.goto(f"/flows/{flow.id}/edit/preview/?p=start&p=solved")
    in_every_look(page)
    page.goto(f"/flows/{flow.id}/edit/?step=solved")
    page.get_by_role("button", name="Action", exact=True).first.click()
    page.get_by_role("button", name="Script").click()
    page.get_by_role("button", name="Blank").click()
    expect(page.get_by_label("Name of blank 1")).to_be_focused()
    in_every_look(page)


def test_a_flow(page, team, team_admin):
    log_in(page, team_admin)
    flow = FlowFactory(description="Why and when")
    structure = question("ask", "fix", "end", children=[action("fix", "ask", help="**Look**"), leaf("end")])
    flow.current_version = FlowVersionFactory(flow=flow, structure=structure, published_by=team_admin)
    flow.save()
    FlowVersionFactory(flow=flow, number=2, structure=structure | {"title": "Other"}, note="Better")
    FlowDraftFactory(
        flow=flow, structure=question("ask", "gone", "end", children=[leaf("end"), leaf("lost")])
    )
    page.goto(f"/flows/{flow.id}/#step-3")
    in_every_look(page)
    for rest in ("versions/2/", "compare/?from=1&to=2", "compare/?from=1&to=draft"):
        page.goto(f"/flows/{flow.id}/{rest}")
        in_every_look(page)
    page.goto("/flows/import/")
    in_every_look(page)


@pytest.mark.parametrize("look", [NARROW_DARK], ids=str)
def test_the_drawer(page, team, team_admin):
    log_in(page, team_admin)
    page.goto("/sessions/")
    page.get_by_role("button", name="Menu", exact=True).click()
    page.locator(".me > summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    axe(page)
