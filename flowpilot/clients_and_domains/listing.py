"""What the list of clients or domains shows, on the page and in its file."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from flowpilot.clients_and_domains.forms import SearchForm
from flowpilot.clients_and_domains.kinds import Entry, Kind, flows_of, sessions_href, sessions_of
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.folding import by_name


def listed_entries(kind: Kind, search: SearchForm) -> QuerySet[Any]:
    """By name. A faulty search finds all."""
    entries = kind.entries.order_by(*by_name())
    words = search.cleaned_data["q"] if search.is_valid() else ""
    return entries.filter(name__icontains=words) if words else entries


def rows_of(kind: Kind, entries: Iterable[Entry], request: AccountRequest) -> list[dict[str, Any]]:
    """Each with its figures and where they lead."""
    entries = list(entries)
    ids = [entry.id for entry in entries]
    sessions = sessions_of(kind, ids, request)
    flows = flows_of(ids) if kind.has_flows else {}
    return [
        {
            "entry": entry,
            "href": kind.url("edit", entry.id),
            "sessions": sessions.get(entry.id, 0),
            "sessions_href": sessions_href(kind, entry) if entry.id in sessions else "",
            "flows": flows.get(entry.id, 0),
        }
        for entry in entries
    ]
