"""Who the account's people and clients are in the ticket system: two lists, each with all its rows in one form."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowpilot.clients.models import Client
from flowpilot.psa.connecting import options
from flowpilot.psa.connecting.forms import MemberForm
from flowpilot.psa.connecting.options import Options
from flowpilot.psa.connecting.views import connected_or_404, leads_only
from flowpilot.psa.models import PsaConnection, PsaMember
from resolutionflow.accounts.models import AuditEntry, User
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.folding import by_name
from resolutionflow.numbered_pages import numbered_page
from resolutionflow.storable import UNSTORABLE


@require_http_methods(["GET", "POST"])
@leads_only
def members(request: AccountRequest, provider: str) -> HttpResponse:
    """Everybody active who works sessions; a member of the same email is proposed where none is chosen."""
    system, found = connected_or_404(provider)
    lists = options.kept(found)
    people = User.objects.filter(account=request.account, is_active=True).order_by(*by_name())
    page = numbered_page(request, people, "people")
    data = request.POST if request.method == "POST" else None
    saved = {row.user_id: row for row in PsaMember.objects.filter(connection=found)}
    forms_ = [
        MemberForm(data, person=person, saved=_initial(saved.get(person.pk), person, lists), options=lists)
        for person in page.rows
    ]
    valid = [form.is_valid() for form in forms_]  # of all of them, to show every fault
    if data is not None and all(valid):
        changed = _save_members(found, forms_, dict(lists.members) if lists else {})
        if changed:
            AuditEntry.record(
                "psa.members_changed",
                actor=request.user,
                account=request.account,
                object=str(found),
                changed=changed,
            )
        messages.success(request, "The mapping of members is saved.")
        return redirect(request.get_full_path())
    context = {
        "system": system,
        "rows": [(form, form.person, form.person.pk in saved) for form in forms_],
        "faulty": [form for form in forms_ if form.errors],
        "page": page,
        "lists": lists,
        "trail": _trail(system.key, system.name),
    }
    status = 422 if context["faulty"] else 200
    return render(request, "settings/psa/members.html", context, status=status)


def _initial(saved: PsaMember | None, person: User, lists: Options | None) -> dict[str, str]:
    if saved is not None:
        return {
            "member": saved.external_id,
            "login": saved.login,
            "work_role": saved.work_role,
            "location": saved.location,
        }
    proposed = lists.emails.get(person.email.lower(), "") if lists else ""
    return {"member": proposed, "login": "", "work_role": "", "location": ""}


@transaction.atomic
def _save_members(
    connection: PsaConnection, filled: list[MemberForm], labels: Mapping[str, str]
) -> list[str]:
    """Writes what differs; the emails of the people whose mapping changed."""
    PsaConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    saved = {row.user_id: row for row in PsaMember.objects.filter(connection=connection)}
    changed: list[str] = []
    for form in filled:
        data, row = form.cleaned_data, saved.get(form.person.pk)
        if not data["member"]:
            if row is not None:
                row.delete()
                changed.append(form.person.email)
            continue
        row = row or PsaMember(connection=connection, user=form.person)
        facts = {
            "external_id": data["member"],
            "login": labels.get(data["member"]) or (row.login if row.external_id == data["member"] else ""),
            "work_role": data["work_role"],
            "location": data["location"],
        }
        if any(getattr(row, name) != value for name, value in facts.items()):
            for name, value in facts.items():
                setattr(row, name, value)
            row.save()
            changed.append(form.person.email)
    return changed


class ClientLinksForm(forms.Form):
    """One field a client: its ID in the ticket system."""

    def __init__(self, data: Mapping[str, Any] | None, clients: list[Client]) -> None:
        super().__init__(data)
        self.clients = clients
        for client in clients:
            self.fields[f"client-{client.pk}"] = forms.CharField(
                label=client.name,
                max_length=100,
                required=False,
                initial=client.psa_company_id or "",
                widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        taken: dict[str, Client] = {
            str(other.psa_company_id): other
            for other in Client.objects.filter(psa_company_id__in=[v for v in data.values() if v])
            if f"client-{other.pk}" not in self.fields
        }
        for client in self.clients:
            name = f"client-{client.pk}"
            ref = data.get(name)
            if not ref:
                continue
            if UNSTORABLE.search(ref):
                self.add_error(name, "Enter the ID again: it has characters that cannot be kept.")
            elif ref in taken:
                self.add_error(
                    name, f"{taken[ref].name} has this ID. A company is one client: merge the two."
                )
            taken[ref] = client
        return data

    @transaction.atomic
    def save(self) -> list[str]:
        """The names of the clients whose ID changed."""
        rows = Client.objects.select_for_update().filter(pk__in=[client.pk for client in self.clients])
        changed: list[str] = []
        for client in rows.order_by("pk"):
            ref = self.cleaned_data[f"client-{client.pk}"] or None
            if (client.psa_company_id or None) != ref:
                client.psa_company_id = ref
                client.save(update_fields=["psa_company_id"])
                changed.append(client.name)
        return changed


@require_http_methods(["GET", "POST"])
@leads_only
def clients(request: AccountRequest, provider: str) -> HttpResponse:
    """By name. Most link themselves, when the first ticket of theirs is linked to a session."""
    system, found = connected_or_404(provider)
    open_only = request.GET.get("linked") == "no"
    rows: QuerySet[Client] = Client.objects.order_by(*by_name())
    unlinked = rows.filter(Q(psa_company_id=None) | Q(psa_company_id=""))
    page = numbered_page(request, unlinked if open_only else rows, "clients")
    form = ClientLinksForm(request.POST if request.method == "POST" else None, page.rows)
    if request.method == "POST" and form.is_valid():
        if changed := form.save():
            AuditEntry.record(
                "psa.clients_changed",
                actor=request.user,
                account=request.account,
                object=str(found),
                changed=changed,
            )
        messages.success(request, "The clients are saved.")
        return redirect(request.get_full_path())
    context = {
        "system": system,
        "form": form,
        "page": page,
        "open_only": open_only,
        "unlinked": unlinked.count(),
        "trail": _trail(system.key, system.name),
    }
    return render(request, "settings/psa/clients.html", context, status=422 if form.errors else 200)


def _trail(key: str, name: str) -> list[tuple[str, str]]:
    return [(name, reverse("settings:psa:connection", args=[key]))]
