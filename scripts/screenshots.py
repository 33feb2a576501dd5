"""Takes the pictures of the README from a served demo: .venv/bin/python scripts/screenshots.py http://localhost:8000

Each page as a light and a dark picture, wide and on a phone, into docs/images/.
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser import find_browser

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LEAD, ENGINEER, PASSWORD = (
    "morgan.ellery@ambermoor.invalid",
    "priya.raman@ambermoor.invalid",
    "look-around-2016",
)
FLOW = "Email is not delivered or bounces"
PAGES = {  # name → who looks, address, the links to follow from there
    "team": (LEAD, "/analytics/", ()),
    "me": (ENGINEER, "/analytics/me/", ()),
    "sessions": (LEAD, "/sessions/?outcome=escalated&period=7d", ()),
    "users": (LEAD, "/settings/users/", ()),
    "coverage": (LEAD, "/analytics/flowpilot/?tab=coverage", ()),
    "flow": (LEAD, "/flows/", (FLOW,)),
    "editor": (LEAD, "/flows/", (FLOW, "Edit")),
    "flow-analytics": (LEAD, "/flows/", (FLOW, "Analytics")),
    "intake": (ENGINEER, "/sessions/new/?problem=Outlook+keeps+asking+Emma+for+her+password", ()),
    "proposal": (LEAD, "/proposals/?kind=new_flow&status=pending", (".table th a",)),
    "runner": (ENGINEER, "/sessions/?status=active&period=all", (".table th a",)),
}
SIZES = {"": {"width": 1280, "height": 860}, "-phone": {"width": 390, "height": 844}}


def sign_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "login" not in url)


def follow(page: Page, link: str) -> bool:
    """A link of the page's content by its words, or the first one that a selector finds; False where there is none."""
    content = page.locator("main")
    found = (
        content.locator(link) if link.startswith(".") else content.get_by_role("link", name=link, exact=True)
    )
    if not found.count():
        return False
    found.first.click()
    page.wait_for_load_state("networkidle")
    return True


def take(browser: Browser, address: str) -> None:
    for email in {email for email, *_ in PAGES.values()}:
        state = None
        for theme in ("light", "dark"):
            for size, viewport in SIZES.items():
                context = browser.new_context(
                    base_url=address, viewport=viewport, color_scheme=theme, storage_state=state
                )
                page = context.new_page()
                if state is None:
                    sign_in(page, email)
                    state = context.storage_state()
                for name, (whose, path, links) in PAGES.items():
                    if whose == email:
                        page.goto(path)
                        if not all(follow(page, link) for link in links):
                            print(f"{name} has nothing to show at this hour of the demo: the picture stays.")
                            continue
                        page.wait_for_load_state("networkidle")
                        page.screenshot(path=IMAGES / f"{name}{size}-{theme}.png", animations="disabled")
                context.close()


if __name__ == "__main__":
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"]
        )
        take(browser, sys.argv[1].rstrip("/"))
        browser.close()
