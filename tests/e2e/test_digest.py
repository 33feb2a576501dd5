import pytest
from playwright.sync_api import expect

from analytics.digest.mail import token_of
from tests.e2e.axe import axe
from tests.e2e.looks import NARROW_DARK, WIDE
from tests.e2e.people import log_in

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("look", [WIDE, NARROW_DARK], ids=str)
def test_the_digest_is_asked_for_and_ended(page, engineer):
    log_in(page, engineer)
    page.goto("/settings/profile/")
    axe(page)
    page.get_by_role("button", name="Send me one now").click()
    expect(page.get_by_text("no worker is running")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"/digest/unsubscribe/{token_of(engineer)}/")
    axe(page)
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("heading", name="The weekly digest is off")).to_be_visible()
    axe(page)
