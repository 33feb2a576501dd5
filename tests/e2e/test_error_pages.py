"""The pages that nobody wants to see, in both themes and on a phone."""

from unittest import mock

import pytest
from django.db import OperationalError
from playwright.sync_api import expect

from resolutionflow.accounts.backends import EmailBackend
from tests.e2e.axe import axe
from tests.e2e.looks import NARROW_DARK, WIDE
from tests.e2e.people import log_in

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("look", [WIDE, NARROW_DARK], ids=str)]


def test_unknown_forbidden_and_unavailable(page, complaints, team, engineer):
    complaints.expect("status of 404", "status of 403", "status of 503")
    log_in(page, engineer)
    assert page.goto("/nowhere/").status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    axe(page)
    assert page.goto("/analytics/").status == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("No access")
    axe(page)
    with mock.patch.object(EmailBackend, "get_user", side_effect=OperationalError("connection refused")):
        assert page.goto("/sessions/?period=7d").status == 503
        expect(page.get_by_role("heading", level=1)).to_have_text("Not available at the moment")
        axe(page)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My sessions")


def test_a_form_from_an_old_login(page, complaints, account):
    complaints.expect("status of 403")
    page.goto("/accounts/login/")
    page.context.clear_cookies()
    page.get_by_label("Email").fill("somebody@northgate.example")
    page.get_by_label("Password").fill("anything")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This form is too old")
    axe(page)
