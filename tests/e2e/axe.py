"""Accessibility of a page as axe-core sees it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}


def axe(page: Page, *, without: tuple[str, ...] = ()) -> None:
    """Fails with one line for every rule that the page breaks and one for each place; `without` leaves rules out."""
    options = OPTIONS | {"rules": {rule: {"enabled": False} for rule in without}}
    found = Axe().run(page, options=options).response["violations"]
    lines = []
    for violation in found:
        lines.append(f"{violation['id']} ({violation['impact']}): {violation['help']}")
        for node in violation["nodes"]:
            why = " ".join(node["failureSummary"].split())
            lines.append(f"    {' '.join(node['target'])}: {why}\n        {node['html'][:200]}")
    assert not lines, f"axe on {page.url}:\n" + "\n".join(lines)
