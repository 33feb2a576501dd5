"""What the frame around every page shows: where one can go, who one is, and which account is open.

A new entry is one line in ITEMS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from resolutionflow.accounts.scoping import account_of
from resolutionflow.folding import by_name
from resolutionflow.models import Account, Role, User


def everyone(user: User) -> bool:
    return True


def team_leads(user: User) -> bool:
    return user.leads_team


def super_admins(user: User) -> bool:
    return user.is_superuser


def works_sessions(user: User) -> bool:
    return user.works_sessions


def sessions_label(user: User) -> str:
    own_only = not user.is_superuser and user.role == Role.ENGINEER
    return "My sessions" if own_only else "Sessions"


def analytics_page(user: User) -> str:
    return "analytics:team" if user.leads_team else "analytics:me"


@dataclass(frozen=True)
class Item:
    """One entry. Label and route may depend on the person; `shown` must agree with who may open the page.

    query: what the entry adds to the address of a page that has another entry. count: the name in `counts`, which an
    app's context processor gives, of the number that stands beside the label. section: what the routes below it begin
    with, where that is not all of its namespace.
    """

    group: str
    label: str | Callable[[User], str]
    url_name: str | Callable[[User], str]
    icon: str
    shown: Callable[[User], bool] = everyone
    query: str = ""
    count: str = ""
    section: str = ""


ITEMS = [
    Item("Work", "Home", "home", "home"),
    Item("Work", "New session", "sessions:new", "plus", works_sessions),
    Item("Work", "Flows", "flows:list", "flow"),
    Item("Work", sessions_label, "sessions:list", "sessions"),
    Item("Work", "Help wanted", "sessions:list", "help", query="help=wanted", count="help_wanted"),
    Item("Insight", "Analytics", analytics_page, "chart"),
    Item("Insight", "FlowPilot", "analytics:flowpilot", "pilot", team_leads, section="analytics:flowpilot"),
    Item("Insight", "Proposals", "proposals:list", "inbox", team_leads, count="proposals"),
    Item("Insight", "PSA pushes", "psa:ledger", "onward", team_leads, count="psa"),
    Item("Set-up", "Settings", "settings:profile", "settings"),
    Item("Developers", "API docs", "api:openapi-view", "code"),
    Item("Installation", "Jobs", "jobs:page", "clock", super_admins),
    Item("Installation", "Admin", "admin:index", "shield", super_admins),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Asks the database for nothing, but for the accounts that a super admin may choose; the counts
    beside entries are asked for by the apps whose they are."""
    user = getattr(request, "user", None)  # none yet where a request is refused at the door
    if not isinstance(user, User):
        return {}
    return {
        "navigation": groups(user, request),
        "open_account": getattr(request, "account", None) or account_of(request),
        "accounts": Account.objects.order_by(*by_name()) if user.is_superuser else None,
    }


def groups(user: User, request: HttpRequest) -> list[tuple[str, list[dict[str, Any]]]]:
    """The entries the person may open, in groups, each with its label, address and whether it is open now."""
    match = request.resolver_match
    here = match.view_name if match else ""
    found: dict[str, list[dict[str, Any]]] = {}
    for item in ITEMS:
        if not item.shown(user):
            continue
        url_name = item.url_name if isinstance(item.url_name, str) else item.url_name(user)
        section = item.section or f"{url_name.partition(':')[0]}:"
        entry = {
            "label": item.label if isinstance(item.label, str) else item.label(user),
            "href": reverse(url_name) + (f"?{item.query}" if item.query else ""),
            "icon": item.icon,
            "count": item.count,
            # "page" on the very page, "true" on the pages below it: a session lies below the list of sessions
            "current": "page" if here == url_name else "true" if here.startswith(section) else "",
        }
        found.setdefault(item.group, []).append(entry)
    _settle_on_one(found, request)
    return list(found.items())


def _settle_on_one(found: dict[str, list[dict[str, Any]]], request: HttpRequest) -> None:
    """Of several entries of one section, the one whose page is open; below them, their plain list."""
    entries = [entry for items in found.values() for entry in items if entry["current"]]
    asked = request.META.get("QUERY_STRING", "").split("&")
    exact = [entry for entry in entries if entry["current"] == "page"]
    queried = [entry for entry in exact if entry["href"].partition("?")[2] in asked and "?" in entry["href"]]
    plain = [entry for entry in exact or entries if "?" not in entry["href"]]
    kept = queried or plain[-1:]
    for entry in entries:
        if entry not in kept:
            entry["current"] = ""
