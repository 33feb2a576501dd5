"""The settings of the ticket system: connect it, test it, say what is proposed, switch it off, remove it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowpilot.clients.models import Client
from flowpilot.psa.asking import Unanswered, ask, try_out
from flowpilot.psa.connecting import options, saving
from flowpilot.psa.connecting.forms import NOT_SAVED, UNDER_WAY, ConnectForm, DefaultsForm, TemplateForm
from flowpilot.psa.connecting.providers import SYSTEMS, System, system_or_404
from flowpilot.psa.connections import current_connection, release
from flowpilot.psa.ledger.listing import under_way
from flowpilot.psa.models import PsaConnection, PsaMember
from flowpilot.psa.sealing import can_seal, key_faults
from flowpilot.psa.states import GRAVE, Hold
from flowpilot.psa.words import HOLDS, pushes_are
from resolutionflow.accounts.models import User
from resolutionflow.accounts.scoping import AccountRequest, team_required

leads_only = team_required("The connection to the ticket system is for team admins.")


@require_GET
@leads_only
def overview(request: AccountRequest) -> HttpResponse:
    """The ticket system in use; without one, those that there are to choose from."""
    connection = current_connection()
    if connection is not None:
        return redirect("settings:psa:connection", connection.provider)
    rows = {row.provider: row for row in PsaConnection.objects.all()}
    systems = [(system, rows.get(key)) for key, system in SYSTEMS.items()]
    return render(request, "settings/psa/overview.html", {"systems": systems})


@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "POST"])
@leads_only
def connection(request: AccountRequest, provider: str) -> HttpResponse:
    """Address and keys; below them, once connected, everything else about the ticket system. What is entered is saved
    once the ticket system has answered to it, so keys that work are never replaced by ones that do not."""
    system = system_or_404(provider)
    found = _saved(system)
    form = _connect_form(request, system, found)
    if request.method == "POST" and _keeps_secrets() and form.is_valid():
        given = {"base_url": form.cleaned_data["base_url"], "credentials": form.credentials()}
        try:
            info = try_out(system.key, **given)
            saving.connect(request.account, system, **given, by=request.user)
        except Unanswered as unanswered:
            form.add_error(None, f"{unanswered.trouble.in_full} {NOT_SAVED}")
        except saving.UnderWay as error:
            form.add_error("base_url", UNDER_WAY.format(count=pushes_are(error.count)))
        else:
            of = f" of {info.company}" if info.company else ""
            messages.success(request, f"{system.name}{of} answered, and the connection is saved.")
            return redirect("settings:psa:connection", system.key)
    return _page(request, system, found, status=422 if form.errors else 200, form=form)


def _keeps_secrets() -> bool:
    """Whether the operator gave this installation a key to keep secrets with."""
    return can_seal() and not key_faults()


def _saved(system: System) -> PsaConnection | None:
    return PsaConnection.objects.filter(provider=system.key).first()


def connected_or_404(provider: str) -> tuple[System, PsaConnection]:
    system = system_or_404(provider)
    found = _saved(system)
    if found is None or not found.credentials:
        raise Http404("This ticket system is not connected.")
    return system, found


def _connect_form(
    request: AccountRequest, system: System, found: PsaConnection | None, *, posted: bool = True
) -> ConnectForm:
    return ConnectForm(
        request.POST if posted and request.method == "POST" else None,
        system=system,
        connection=found,
        known=saving.read_credentials(found) if found else {},
        internal_hosts=settings.PSA_INTERNAL_HOSTS,
    )


def _page(
    request: AccountRequest, system: System, found: PsaConnection | None, status: int = 200, **given: Any
) -> HttpResponse:
    context: dict[str, Any] = {
        "system": system,
        "others": [other for other in SYSTEMS.values() if other is not system],
        "form": _connect_form(request, system, found, posted=False) if "form" not in given else None,
        "keeps_secrets": _keeps_secrets(),
        "connection": found if found and found.credentials else None,
    }
    if context["connection"]:
        lists = options.kept(found) if found else None
        context |= {
            "lists": lists,
            "defaults_form": DefaultsForm(connection=found, options=lists) if found else None,
            "template_form": TemplateForm(initial={"note_template": found.note_template if found else ""}),
            "held": HOLDS.get(found.held_reason, "") if found and found.is_held(request.now) else "",
            "state": _state(found, request.now, given.get("tested")) if found else None,
            "under_way": under_way().filter(connection=found).count(),
            "mapped": PsaMember.objects.filter(connection=found).count(),
            "people": User.objects.filter(account=request.account, is_active=True).count(),
            "linked": Client.objects.exclude(psa_company_id=None).exclude(psa_company_id="").count(),
            "clients": Client.objects.count(),
        }
    return render(request, "settings/psa/connection.html", context | given, status=status)


def _state(found: PsaConnection, now: datetime, tested: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """Label and tone of its badge. tested: what came of a test just now."""
    if not found.active:
        return "Off", "none"
    if tested and "trouble" in tested:
        return "Does not answer well", "bad"
    if found.is_held(now):
        return "On hold", "watch" if found.held_reason == Hold.TOO_MANY_REQUESTS else "bad"
    return "In use", "good"


@leads_only
@require_POST
def test(request: AccountRequest, provider: str) -> HttpResponse:
    """Signs in to the ticket system and says in plain words what came of it. Saves nothing but that it works again."""
    system, found = connected_or_404(provider)
    was_held = found.is_held(request.now) and found.held_reason in GRAVE
    context: dict[str, Any] = {"system": system}
    try:
        context["info"] = ask(found, lambda provider: provider.check())
    except Unanswered as unanswered:
        context["trouble"] = unanswered.trouble
    else:
        release(found.pk)
    found.refresh_from_db()
    if not request.htmx:
        return _page(request, system, found, tested=context)
    state = _state(found, request.now, context)
    shown = {"tested": context, "state": state, "swaps": True}
    shown["released"] = was_held and not found.is_held(request.now)
    return render(request, "settings/psa/_tested.html", shown)


@leads_only
@require_POST
def fetch_lists(request: AccountRequest, provider: str) -> HttpResponse:
    """Asks for what there is to choose from, then shows the page that `next` names with it."""
    system, found = connected_or_404(provider)
    try:
        options.fetch(found)
    except Unanswered as unanswered:
        messages.error(request, f"The lists could not be fetched. {unanswered.trouble}")
    there = {"members": "settings:psa:members"}.get(request.POST.get("next", ""), "settings:psa:connection")
    return redirect(there, system.key)


@leads_only
@require_POST
def defaults(request: AccountRequest, provider: str) -> HttpResponse:
    system, found = connected_or_404(provider)
    lists = options.kept(found)
    form = DefaultsForm(request.POST, connection=found, options=lists)
    if not form.is_valid():
        return _page(request, system, found, 422, defaults_form=form)
    chosen = {form.cleaned_data[name] for name in DefaultsForm.REFS} - {""}
    labels = dict(lists.work_types) | dict(lists.work_roles) | dict(lists.locations) if lists else {}
    names = found.defaults.get("names", {}) | labels
    kept = {ref: names[ref] for ref in chosen if ref in names}
    saving.change(request.account, found, {"defaults": form.cleaned_data | {"names": kept}}, by=request.user)
    messages.success(request, "What is proposed at the end of a session is saved.")
    return redirect("settings:psa:connection", system.key)


@leads_only
@require_POST
def template(request: AccountRequest, provider: str) -> HttpResponse:
    system, found = connected_or_404(provider)
    form = TemplateForm(request.POST)
    if not form.is_valid():
        return _page(request, system, found, 422, template_form=form)
    saving.change(request.account, found, form.cleaned_data, by=request.user)
    messages.success(request, "The note template is saved.")
    return redirect("settings:psa:connection", system.key)


@leads_only
@require_POST
def switch(request: AccountRequest, provider: str) -> HttpResponse:
    system, found = connected_or_404(provider)
    on = request.POST.get("on") == "1"
    saving.switch(request.account, found, on=on, by=request.user)
    words = f"{system.name} is in use." if on else f"{system.name} is switched off. What is under way waits."
    messages.success(request, words)
    return redirect("settings:psa:connection", system.key)


@require_http_methods(["GET", "POST"])
@leads_only
def remove(request: AccountRequest, provider: str) -> HttpResponse:
    """Says what goes and what stays, and asks."""
    system, found = connected_or_404(provider)
    if request.method == "POST":
        saving.remove(request.account, found, by=request.user)
        messages.success(request, f"The connection to {system.name} is removed; its keys are deleted.")
        return redirect("settings:psa:overview")
    context = {"system": system, "unarrived": saving.unarrived(found)}
    return render(request, "settings/psa/remove.html", context)
