"""Clients and domains in the settings: listed, added, renamed, merged; an unused one can go."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowpilot.clients_and_domains.forms import EntryForm, MergeForm, SearchForm, entry_form
from flowpilot.clients_and_domains.kinds import Entry, Kind, is_used
from flowpilot.clients_and_domains.listing import listed_entries, rows_of
from flowpilot.clients_and_domains.merging import merge
from resolutionflow.accounts.models import AuditEntry
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.exports import export_menu
from resolutionflow.figures import counted
from resolutionflow.numbered_pages import numbered_page

NO_ACCESS = "Clients and domains are kept by team admins."


@require_GET
@team_required(NO_ACCESS)
def entry_list(request: AccountRequest, kind: Kind) -> HttpResponse:
    """By name, a page at a time, each with the number of its sessions."""
    search = SearchForm(request.GET)
    page = numbered_page(request, listed_entries(kind, search), kind.plural)
    context = _frame(kind) | {
        "search": search,
        "words": search.cleaned_data.get("q", ""),
        "form": entry_form(kind)(),
        "rows": rows_of(kind, page.rows, request),
        "page": page,
        "export": _export(kind, search, page.total),
    }
    return render(request, "settings/clients_and_domains/list.html", context)


def _frame(kind: Kind) -> dict[str, Any]:
    """What all these pages know."""
    return {
        "kind": kind,
        "list_href": kind.url(),
        "add_href": kind.url("add"),
        "add_title": f"Add a {kind.noun}",
        "trail": [(kind.title, kind.url())],
    }


def _export(kind: Kind, search: SearchForm, total: int) -> dict[str, Any] | None:
    """The Export menu; None where the list is empty or its search is faulty."""
    if search.errors or not total:
        return None
    route = f"analytics:{kind.plural}-export"
    return export_menu(kind.plural, counted(total, kind.noun), route, search.cleaned_data)


@require_http_methods(["GET", "POST"])
@team_required(NO_ACCESS)
def add(request: AccountRequest, kind: Kind) -> HttpResponse:
    form = entry_form(kind)(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.save_unless_taken():
        _record(request, kind, "added", form.instance)
        messages.success(request, f"{form.instance.name} is added.")
        return redirect(kind.url())
    context = _frame(kind) | {"form": form}
    return render(
        request, "settings/clients_and_domains/add.html", context, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
@team_required(NO_ACCESS)
@transaction.atomic
def edit(request: AccountRequest, kind: Kind, entry_id: UUID) -> HttpResponse:
    """Another name; and where merging and deleting begin."""
    rows = kind.entries.select_for_update() if request.method == "POST" else kind.entries
    entry = get_object_or_404(rows, id=entry_id)
    before = {name: getattr(entry, name) for name in kind.fields}
    form = entry_form(kind)(request.POST if request.method == "POST" else None, instance=entry)
    if (
        request.method == "POST"
        and form.is_valid()
        and (not form.has_changed() or _save(form, request, before))
    ):
        messages.success(request, f"{entry.name} is saved.")
        return redirect(kind.url())
    if form.errors:
        entry = kind.entries.get(id=entry_id)  # the page goes on to call it by the name it has
    context = _frame(kind) | {
        "form": form,
        "row": rows_of(kind, [entry], request)[0],
        "merge_form": MergeForm(None, kind=kind, source=entry),
        "merge_href": kind.url("merge", entry.id),
        "delete_href": kind.url("delete", entry.id),
        "used": is_used(entry),
    }
    return render(
        request, "settings/clients_and_domains/edit.html", context, status=422 if form.errors else 200
    )


def _save(form: EntryForm, request: AccountRequest, before: dict[str, Any]) -> bool:
    if not form.save_unless_taken():
        return False
    changed = {name: [before[name], getattr(form.instance, name)] for name in form.changed_data}
    action = f"{form.instance._meta.model_name}.changed"
    AuditEntry.record(
        action, actor=request.user, account=request.account, object=form.instance.name, **changed
    )
    return True


@require_http_methods(["GET", "POST"])
@team_required(NO_ACCESS)
def merge_into(request: AccountRequest, kind: Kind, entry_id: UUID) -> HttpResponse:
    """First says what moves, then moves it."""
    source = get_object_or_404(kind.entries, id=entry_id)
    given = request.POST if request.method == "POST" else request.GET
    form = MergeForm(given if "into" in given or request.method == "POST" else None, kind=kind, source=source)
    target = None
    if form.is_valid():
        target = get_object_or_404(kind.entries, id=form.cleaned_data["into"])
        if request.method == "POST":
            done = merge(kind, source.id, target.id, request)
            if done is None:
                raise Http404(f"No such {kind.noun}")
            moved = f"{counted(done.sessions, 'session')} moved"
            messages.success(request, f"{done.name} is part of {done.into} now: {moved}.")
            return redirect(kind.url("edit", target.id))
    frame = _frame(kind)
    context = frame | {
        "form": form,
        "source": rows_of(kind, [source], request)[0],
        "target": target,
        "merge_href": kind.url("merge", source.id),
        "trail": [*frame["trail"], (source.name, kind.url("edit", source.id))],
    }
    faulty = request.method == "POST" and bool(form.errors)
    return render(request, "settings/clients_and_domains/merge.html", context, status=422 if faulty else 200)


@team_required(NO_ACCESS)
@require_POST
@transaction.atomic
def delete(request: AccountRequest, kind: Kind, entry_id: UUID) -> HttpResponse:
    """Only what nothing refers to: no figure loses anything."""
    entry = get_object_or_404(kind.entries.select_for_update(), id=entry_id)
    if is_used(entry):
        messages.error(request, f"{entry.name} is in use by now. Merge it into another {kind.noun} instead.")
        return redirect(kind.url("edit", entry.id))
    _record(request, kind, "deleted", entry)
    entry.delete()
    messages.success(request, f"{entry.name} is deleted.")
    return redirect(kind.url())


def _record(request: AccountRequest, kind: Kind, act: str, entry: Entry) -> None:
    AuditEntry.record(f"{kind.noun}.{act}", actor=request.user, account=request.account, object=entry.name)
