"""What a page must never do: break its own policy, log an error, ask another host, open a dialog, scroll sideways."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request

SIDEWAYS = """() => {
    const root = document.documentElement;
    return root.scrollWidth > root.clientWidth ? `${root.scrollWidth} px of content in ${root.clientWidth} px` : "";
}"""
# Runs in every document before its own scripts; says it by the console, which is listened to anyway.
SIDEWAYS_AFTER_LOAD_AND_SWAP = f"""
    const tooWide = () => {{
        const found = ({SIDEWAYS})();
        if (found) console.error(`The page scrolls sideways: ${{found}}`);
    }};
    addEventListener("load", tooWide);
    document.addEventListener("htmx:afterSettle", tooWide);
"""


class Complaints:
    """Listens to a browser context. What a test provokes on purpose it names with `expect`."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.found: list[str] = []
        self.expected: list[re.Pattern[str]] = []
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"script error: {error.error}"))
        context.on("request", self._request)
        context.on("dialog", self._dialog)
        context.add_init_script(SIDEWAYS_AFTER_LOAD_AND_SWAP)

    def expect(self, *patterns: str) -> None:
        """From now on, and of what came before: complaints with one of these in them are none."""
        self.expected += [re.compile(pattern) for pattern in patterns]

    def all(self) -> list[str]:
        """What is left, how the pages that are still open stand included."""
        for page in self.context.pages:
            if page.url.startswith(self.address) and (sideways := page.evaluate(SIDEWAYS)):
                self.found.append(f"{page.url} scrolls sideways: {sideways}")
        return [text for text in self.found if not any(known.search(text) for known in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") or "Content Security Policy" in message.text:
            where = urlsplit(message.location.get("url", "")).path
            self.found.append(f"{message.type}: {message.text} ({where}, {_path(message.page)})")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.found.append(f"request to another host: {request.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.found.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def _path(page: Page | None) -> str:
    return urlsplit(page.url).path if page else ""
