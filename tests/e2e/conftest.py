"""Pages in a real browser. `page` is one that nothing may be complained about; see looks.py for how it is looked at."""

import os

import pytest
from django.core.cache import cache
from playwright.sync_api import expect, sync_playwright

from tests.browser import find_browser
from tests.e2e.complaints import Complaints
from tests.e2e.looks import WIDE
from tests.e2e.rows import NOW, make_team
from tests.e2e.walks import make_walks

# Playwright's own event loop runs in the thread of the tests, which takes Django's synchronous calls for a mistake.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PATIENCE = 15_000  # milliseconds: what a busy machine may take, not what a page should
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # as root there is none
]


@pytest.fixture(scope="session")
def browser():
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium or Chrome was found")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def look():
    return WIDE


@pytest.fixture
def noon(clock):
    """It is noon on the day that rows.py is written for."""
    clock(NOW)


@pytest.fixture
def context(browser, look, live_server, noon):
    cache.clear()  # the limits on signing in are counted there
    context = browser.new_context(base_url=live_server.url, **look.options)
    context.set_default_timeout(PATIENCE)
    context.base_address = live_server.url
    yield context
    context.close()


@pytest.fixture
def complaints(context, live_server):
    """For tests that provoke one: `complaints.expect("status of 503")`."""
    return Complaints(context, live_server.url)


@pytest.fixture
def page(context, complaints):
    page = context.new_page()
    yield page
    assert complaints.all() == []


@pytest.fixture
def team(noon, account, engineer, colleague):
    return make_team(engineer, colleague)


@pytest.fixture
def walked(team):
    """The flow about Outlook, with two versions and more sessions that went through its steps."""
    return make_walks(team)
