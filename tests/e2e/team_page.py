"""The words of the team page's journeys."""

import re

from playwright.sync_api import Locator, Page, expect


def stat(page: Page, label: str) -> Locator:
    """The number on the card with this label."""
    return page.locator(".stat", has_text=label).locator(".stat-value .figure")


def shows(page: Page, sessions: str, rate: str, median: str, engineers: str) -> None:
    """Waits until the four cards say this."""
    expect(stat(page, "Total sessions")).to_have_text(sessions)
    expect(stat(page, "Completion rate")).to_have_text(rate)
    expect(stat(page, "Median duration")).to_have_text(median)
    expect(stat(page, "Active engineers")).to_have_text(engineers)


def row(page: Page, table: str, name: str) -> Locator:
    """The cells of one row, its name left out."""
    rows = page.get_by_role("table", name=table, exact=True).get_by_role("row")
    return rows.filter(has=page.get_by_role("rowheader", name=name, exact=True)).get_by_role("cell")


def listed(page: Page, count: int) -> None:
    """Waits for the session list, which must say this number and show as many rows."""
    expect(page).to_have_url(re.compile(r"/sessions/(\?|$)"))
    words = "1 session" if count == 1 else f"{count} sessions"
    expect(page.get_by_role("navigation", name="Pages").get_by_text(words, exact=True)).to_be_visible()
    expect(page.get_by_role("table", name="Sessions").get_by_role("rowheader")).to_have_count(count)
