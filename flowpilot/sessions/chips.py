"""The filters of a session list in words, each with the address of the list without it."""

from typing import Any

from django.db.models import QuerySet
from django.utils.formats import date_format

from flowpilot.models import Client, Domain, Flow
from flowpilot.sessions.filters import LABELS, NONE, SessionFilterForm
from flowpilot.sessions.states import Outcome, Status, Tier
from resolutionflow.accounts.names import shown_names
from resolutionflow.links import url_with

WORDS = {
    "on": {"started": "start", "completed": "end", "rated": "rating", "logged": "time entry"},
    "status": dict(Status.choices),
    "outcome": dict(Outcome.choices),
    "tier": dict(Tier.choices),
    "pushed": {"note": "Note", "time_entry": "Time entry"},
}


def chips(form: SessionFilterForm, parameters: dict[str, list[str]]) -> list[dict[str, str]]:
    """One chip a value that filters; faulty ones are left to their messages."""
    names = {
        "flow_id": Flow.objects.all(),
        "domain_id": Domain.objects.all(),
        "client_id": Client.objects.all(),
    }
    found = []
    for field, label in LABELS.items():
        values = [value for value in parameters.get(field, []) if value]
        if not values or field in form.errors:
            continue
        if field == "outcome" and set(values) == set(Outcome.values):
            href = url_with("sessions:list", parameters | {field: []})
            found.append({"label": label, "value": "any (completed)", "href": href})
            continue
        if field == "engineer_id":
            words = {str(id_): name for id_, name in shown_names(form.account).items()}
        else:
            words = _names(names[field], values) if field in names else WORDS.get(field, {})
        for value in values:
            kept = parameters | {field: [v for v in values if v != value]}
            shown = words.get(value, "Unknown" if field in {"engineer_id", *names} else value)
            if value == NONE:
                shown = f"No {label.lower()}"
            elif field in ("day", "completed_day"):
                shown = date_format(form.cleaned_data[field], "j M Y")
            found.append({"label": label, "value": shown, "href": url_with("sessions:list", kept)})
    return found


def _names(rows: QuerySet[Any], ids: list[str]) -> dict[str, str]:
    wanted = [id_ for id_ in ids if id_ != NONE]
    return (
        {str(id_): name for id_, name in rows.filter(id__in=wanted).values_list("id", "name")}
        if wanted
        else {}
    )
