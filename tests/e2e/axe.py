"""Accessibility of a page as axe-core sees it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.looks import NARROW_DARK, WIDE

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The page's script sees a moment after the window has changed which tables scroll, and so want a key's focus.
SETTLED = """async () => {
  const unseen = (area) => area.scrollWidth > area.clientWidth && area.tabIndex < 0;
  const areas = [...document.querySelectorAll(".table-scroll")];
  for (let frame = 0; frame < 60 && areas.some(unseen); frame++) await new Promise(requestAnimationFrame);
}"""
OPTIONS = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}


def axe(page: Page, *, without: tuple[str, ...] = ()) -> None:
    """Fails with one line for every rule that the page breaks and one for each place; `without` leaves rules out."""
    options = OPTIONS | {"rules": {rule: {"enabled": False} for rule in without}}
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate("options => axe.run(options).then(result => result.violations)", options)
    lines = []
    for violation in found:
        lines.append(f"{violation['id']} ({violation['impact']}): {violation['help']}")
        for node in violation["nodes"]:
            why = " ".join(node["failureSummary"].split())
            lines.append(f"    {' '.join(node['target'])}: {why}\n        {node['html'][:200]}")
    assert not lines, f"axe on {page.url}:\n" + "\n".join(lines)


def in_every_look(page: Page) -> None:
    """`axe` in both widths and both themes. One load serves them: a page follows the system's theme and the window.

    What a theme breaks is a colour and what a width breaks is a place, so two looks of the four tell all.
    """
    for look in (NARROW_DARK, WIDE):
        page.set_viewport_size({"width": look.width, "height": look.height})
        page.emulate_media(color_scheme=look.theme)
        page.evaluate(SETTLED)
        axe(page)
