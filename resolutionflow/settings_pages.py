"""The list at the side of the settings: which pages there are, and who may open them.

A new page is one line in PAGES; its template extends settings/base.html.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from resolutionflow.accounts.models import User
from resolutionflow.navigation import everyone, team_leads


@dataclass(frozen=True)
class SettingsPage:
    """`group` is "you" or "account"; `shown` must agree with who may open the page."""

    group: str
    label: str
    url_name: str
    icon: str
    shown: Callable[[User], bool] = everyone


PAGES = [
    SettingsPage("you", "Profile", "settings:profile", "user"),
    SettingsPage("you", "API tokens", "settings:tokens", "key"),
    SettingsPage("account", "Account", "settings:account", "home", team_leads),
    SettingsPage("account", "Users and roles", "settings:users:list", "users", team_leads),
    SettingsPage("account", "Clients", "settings:clients", "building", team_leads),
    SettingsPage("account", "Domains", "settings:domains", "tag", team_leads),
    SettingsPage("account", "Ticket system", "settings:psa:overview", "onward", team_leads),
]


def settings_groups(user: User, path: str, account_name: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """The pages that the person may open, those about them and those about the account, each with its label,
    address and whether it is open now: "page" on the very page, "true" on one below it."""
    headings = {"you": "You", "account": account_name or "Account"}
    found: dict[str, list[dict[str, Any]]] = {}
    for page in PAGES:
        if page.shown(user):
            href = reverse(page.url_name)
            current = "page" if path == href else "true" if path.startswith(href) else ""
            entry = {"label": page.label, "href": href, "icon": page.icon, "current": current}
            found.setdefault(headings[page.group], []).append(entry)
    return list(found.items())
