"""The browser's back and forward buttons on pages that swap their parts.

Playwright's own `go_back` waits for a load, and fails where the page that it comes to loads itself anew.
"""

from playwright.sync_api import Page


def back(page: Page) -> None:
    """Presses the button and waits for nothing: what the test expects next does."""
    page.evaluate("setTimeout(() => history.back())")


def forward(page: Page) -> None:
    page.evaluate("setTimeout(() => history.forward())")
