"""What the ticket system has to choose from: asked for by a button, and kept for an hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from flowpilot.psa.asking import ask
from flowpilot.psa.models import PsaConnection
from flowpilot.psa.providers.base import Option, PsaProvider

KEPT_FOR = 3600  # seconds
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Options:
    """Ref and label of each, by label. emails: the ref of the member who has it, by address in lower case."""

    members: Choices
    work_types: Choices
    work_roles: Choices
    locations: Choices
    emails: Mapping[str, str]


def kept(connection: PsaConnection) -> Options | None:
    """What was fetched lately; asks nobody."""
    found = cache.get(_key(connection))
    return Options(**found) if found else None


def fetch(connection: PsaConnection) -> Options:
    """Asks the ticket system; raises `asking.Unanswered`."""

    def question(provider: PsaProvider) -> dict[str, Any]:
        members = [member for member in provider.list_members() if not member.inactive]
        return {
            "members": _choices(members),
            "work_types": _choices(provider.list_work_types()),
            "work_roles": _choices(provider.list_work_roles()),
            "locations": _choices(provider.list_locations()),
            "emails": {member.email.lower(): member.ref for member in members if member.email},
        }

    found = ask(connection, question)
    cache.set(_key(connection), found, KEPT_FOR)
    return Options(**found)


def forget(connection: PsaConnection) -> None:
    """Another address has other lists."""
    cache.delete(_key(connection))


def labelled(saved: Mapping[str, Any], ref: str) -> str:
    """The name that was saved with the ref, for a page that has no lists."""
    names: Mapping[str, str] = saved.get("names", {})
    return names.get(ref) or f"No. {ref}"


def _choices(options: Sequence[Option]) -> list[tuple[str, str]]:
    shown = [(o.ref, f"{o.name} ({o.login})" if o.login else o.name) for o in options if not o.inactive]
    return sorted(shown, key=lambda choice: choice[1].casefold())


def _key(connection: PsaConnection) -> str:
    return f"psa-options:{connection.account_id}:{connection.pk}"
