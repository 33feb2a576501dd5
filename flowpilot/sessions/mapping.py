"""Giving a domain to sessions that have none: those that are ticked in the list, or all that the list is about."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flowpilot.flows.models import Domain
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.filters import SessionFilterForm, Values
from flowpilot.sessions.models import Session
from resolutionflow.accounts.models import AuditEntry, User
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.figures import counted
from resolutionflow.folding import by_name

NO_ACCESS = "Only a team admin gives sessions a domain."


class MappingForm(forms.Form):
    """`filters` is the query string of the list. `everything`: all sessions that it is about, ticked or not."""

    domain = forms.ChoiceField(
        error_messages={"required": "Choose a domain.", "invalid_choice": "Choose a domain of the list."},
    )
    session_id = Values(UUID)
    everything = forms.BooleanField(required=False)
    filters = forms.CharField(required=False, max_length=4000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        names = Domain.objects.order_by(*by_name()).values_list("id", "name")
        fields["domain"].choices = [("", "Choose a domain"), *((str(id_), name) for id_, name in names)]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("session_id") and not data.get("everything"):
            raise forms.ValidationError("Tick the sessions first.")
        return data


def offered(viewer: User, form: SessionFilterForm) -> MappingForm | None:
    """The form beside a list of sessions without a domain, for who leads the team; None beside any other list."""
    data = form.cleaned_data
    without = data.get("domain_id") == ["none"]
    return MappingForm() if viewer.leads_team and without and not form.errors else None


@team_required(NO_ACCESS)
@require_POST
def give_domain(request: AccountRequest) -> HttpResponse:
    """Gives the sessions the domain and goes back to the list; a session that has one by now keeps it."""
    form = MappingForm(request.POST)
    back = f"{reverse('sessions:list')}?{QueryDict(request.POST.get('filters', '')[:4000]).urlencode()}"
    if not form.is_valid():
        for faults in form.errors.values():
            for fault in faults:
                messages.error(request, str(fault))
        return redirect(back)
    domain = Domain.objects.get(id=form.cleaned_data["domain"])
    with transaction.atomic():
        ids = list(_meant(request, form).filter(domain=None).values_list("id", flat=True))
        count = Session.objects.filter(id__in=ids, domain=None).update(domain=domain)
        AuditEntry.record(
            "sessions.mapped", actor=request.user, account=request.account, object=domain.name, sessions=count
        )
    messages.success(request, f"{counted(count, 'session')} moved to {domain.name}.")
    return redirect(back)


def _meant(request: AccountRequest, form: MappingForm) -> SessionQuerySet:
    """The sessions that are ticked; with `everything` those of the list, of which faulty filters leave none."""
    data = form.cleaned_data
    rows: SessionQuerySet = Session.objects.all()
    if not data["everything"]:
        return rows.filter(id__in=data["session_id"])
    listed = SessionFilterForm(
        QueryDict(data["filters"]), viewer=request.user, account=request.account, now=request.now
    )
    sessions = listed.sessions()
    return sessions.none() if listed.errors else sessions
