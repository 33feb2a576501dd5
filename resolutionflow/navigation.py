"""What the frame around every page shows: where one can go, who one is, and which account is open.

A new entry is one line in ITEMS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from resolutionflow.accounts.scoping import account_of
from resolutionflow.models import Account, Role, User


def everyone(user: User) -> bool:
    return True


def team_leads(user: User) -> bool:
    return user.leads_team


def super_admins(user: User) -> bool:
    return user.is_superuser


def sessions_label(user: User) -> str:
    own_only = not user.is_superuser and user.role == Role.ENGINEER
    return "My sessions" if own_only else "Sessions"


def analytics_page(user: User) -> str:
    return "analytics:team" if user.leads_team else "analytics:me"


@dataclass(frozen=True)
class Item:
    """One entry. Label and route may depend on the person; `shown` must agree with who may open the page."""

    group: str
    label: str | Callable[[User], str]
    url_name: str | Callable[[User], str]
    icon: str
    shown: Callable[[User], bool] = everyone


ITEMS = [
    Item("Work", sessions_label, "sessions:list", "sessions"),
    Item("Insight", "Analytics", analytics_page, "chart"),
    Item("Set-up", "Settings", "settings:profile", "settings"),
    Item("Developers", "API docs", "api:openapi-view", "code"),
    Item("Installation", "Jobs", "jobs:page", "clock", super_admins),
    Item("Installation", "Admin", "admin:index", "shield", super_admins),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Asks the database for nothing, but for the accounts that a super admin may choose."""
    user = getattr(request, "user", None)  # none yet where a request is refused at the door
    if not isinstance(user, User):
        return {}
    return {
        "navigation": groups(user, request),
        "open_account": getattr(request, "account", None) or account_of(request),
        "accounts": Account.objects.order_by("name") if user.is_superuser else None,
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
        section = url_name.partition(":")[0]
        entry = {
            "label": item.label if isinstance(item.label, str) else item.label(user),
            "href": reverse(url_name),
            "icon": item.icon,
            # "page" on the very page, "true" on the pages below it: a session lies below the list of sessions
            "current": "page" if here == url_name else "true" if here.startswith(f"{section}:") else "",
        }
        found.setdefault(item.group, []).append(entry)
    return list(found.items())
