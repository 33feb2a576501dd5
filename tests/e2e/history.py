"""The browser's back and forward buttons on pages that swap their parts.

Playwright's own `go_back` waits for a load, and fails where the page that it comes to loads itself anew.
"""

from playwright.sync_api import Page


def back(page: Page) -> None:
    """Presses the button and waits for nothing: what the test expects next does."""
    _go(page, -1)


def forward(page: Page) -> None:
    _go(page, 1)


def _go(page: Page, steps: int) -> None:
    # The browser is asked, not a script in the page, which may be about to go.
    browser = page.context.new_cdp_session(page)
    history = browser.send("Page.getNavigationHistory")
    entry = history["entries"][history["currentIndex"] + steps]
    browser.send("Page.navigateToHistoryEntry", {"entryId": entry["id"]})
    browser.detach()
