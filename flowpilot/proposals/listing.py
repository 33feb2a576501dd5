"""Which proposals the queue shows and in which order; the page, its neighbours and the API ask the same form."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import BooleanField, F, Func, IntegerField, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from flowpilot.flows.models import Domain
from flowpilot.flows.search import has
from flowpilot.proposals.models import FlowProposal
from resolutionflow.accounts.models import Account
from resolutionflow.folding import by_name, folded
from resolutionflow.long_select import LongSelect
from resolutionflow.periods import first_instant

NONE = "none"
Status = FlowProposal.Status
STATUSES: dict[str, tuple[str, list[Status]]] = {
    "": ("Pending", [Status.PENDING]),
    "published": ("Published, edited or not", [Status.APPROVED, Status.MODIFIED]),
    Status.APPROVED.value: ("Published as proposed", [Status.APPROVED]),
    Status.MODIFIED.value: ("Edited and published", [Status.MODIFIED]),
    Status.REJECTED.value: ("Rejected", [Status.REJECTED]),
    Status.DISMISSED.value: ("Dismissed", [Status.DISMISSED]),
    "all": ("All", list(Status)),
}
CONFIDENCES = {
    "high": ("75 % sure or more", Q(confidence__gte=0.75)),
    "medium": ("50 to 75 % sure", Q(confidence__gte=0.5, confidence__lt=0.75)),
    "low": ("Less than 50 % sure", Q(confidence__lt=0.5)),
}
ORDERS = {
    "": ("Most sure first", ("-confidence", "-created_at", "-id")),
    "newest": ("Newest first", ("-created_at", "-id")),
    "oldest": ("Longest waiting first", ("created_at", "id")),
    "sessions": ("Most sessions first", ("-behind", "-created_at", "-id")),
}
# How many sessions are behind it, without the evidence itself.
BEHIND = Func(
    F("evidence"),
    template="case jsonb_typeof(%(expressions)s -> 'sessions') when 'array' "
    "then jsonb_array_length(%(expressions)s -> 'sessions') else 0 end",
    output_field=IntegerField(),
)
# Of a step that is thumbed down: how many thumbs say so. It rests on no sessions.
THUMBS = Func(
    F("evidence"),
    template="case when %(expressions)s #>> '{change,kind}' = 'disliked_step' "
    "and jsonb_typeof(%(expressions)s #> '{change,n}') = 'number' "
    "then (%(expressions)s #>> '{change,n}')::numeric::bigint end",
    output_field=IntegerField(null=True),
)
# Whether it comes back after it was rejected.
RETURNED = Func(
    F("evidence"),
    template="coalesce(jsonb_typeof(%(expressions)s -> 'returned') = 'object', false)",
    output_field=BooleanField(),
)
DAY = "Give the day as YYYY-MM-DD."


class ProposalListForm(forms.Form):
    """Reads filters and order out of a query string. A bad value leaves an error at its field and filters nothing;
    `proposals()` may be asked for either way."""

    q = forms.CharField(required=False, max_length=200, label="Search")
    status = forms.ChoiceField(
        required=False,
        choices=[("", "Pending"), *((name, words) for name, (words, _) in STATUSES.items() if name)],
    )
    kind = forms.ChoiceField(
        required=False,
        choices=[
            ("", "New flows and changes"),
            (FlowProposal.Kind.NEW_FLOW, "New flows"),
            (FlowProposal.Kind.ENHANCEMENT, "Changes of flows"),
        ],
    )
    domain_id = forms.ChoiceField(required=False, label="Domain", widget=LongSelect())
    confidence = forms.ChoiceField(
        required=False,
        choices=[("", "However sure"), *((name, words) for name, (words, _) in CONFIDENCES.items())],
    )
    sort = forms.ChoiceField(
        required=False, label="Order", choices=[(name, words) for name, (words, _) in ORDERS.items()]
    )
    reviewed_from = forms.DateField(required=False, input_formats=["%Y-%m-%d"], label="Reviewed from")
    reviewed_to = forms.DateField(required=False, input_formats=["%Y-%m-%d"], label="Reviewed to")

    def __init__(self, data: Any, *, account: Account) -> None:
        super().__init__(data)
        self.account = account
        domains = Domain.objects.order_by(*by_name()).values_list("id", "name")
        fields: dict[str, Any] = self.fields
        fields["domain_id"].choices = [
            ("", "All domains"),
            *((str(id_), name) for id_, name in domains),
            (NONE, "No domain"),
        ]
        for name in ("status", "kind", "domain_id", "confidence", "sort"):
            fields[name].error_messages["invalid_choice"] = "This is none of the choices."
            fields[name].widget.attrs["data-autosubmit"] = True
        for name in ("reviewed_from", "reviewed_to"):
            fields[name].error_messages["invalid"] = DAY

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in ("reviewed_from", "reviewed_to"):
            if data.get(name) and not 1970 <= data[name].year <= 9000:
                self.add_error(name, "This day is out of range.")
        return data

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order was asked for."""
        return any(self.data.get(name) for name in self.fields if name != "sort")

    @property
    def pending_only(self) -> bool:
        self.is_valid()
        return not self.cleaned_data.get("status")

    def proposals(self) -> QuerySet[FlowProposal]:
        """What was asked for, in order, with the number of sessions `behind` it."""
        self.is_valid()
        data = self.cleaned_data
        rows = FlowProposal.objects.annotate(behind=BEHIND).filter(self._filters())
        return rows.order_by(*ORDERS[data.get("sort") or ""][1])

    def _filters(self) -> Q:
        data = self.cleaned_data
        kept = Q(status__in=STATUSES[data.get("status") or ""][1])
        if data.get("kind"):
            kept &= Q(kind=data["kind"])
        if domain := data.get("domain_id"):
            kept &= Q(domain=None) if domain == NONE else Q(domain_id=UUID(domain))
        if data.get("confidence"):
            kept &= CONFIDENCES[data["confidence"]][1]
        text = folded(Concat("title", Value(" "), "summary", output_field=TextField()))
        for word in (data.get("q") or "").split():
            kept &= Q(has(word, text))
        if day := data.get("reviewed_from"):
            kept &= Q(reviewed_at__gte=first_instant(day, self.account.tz))
        if day := data.get("reviewed_to"):
            kept &= Q(reviewed_at__lt=self._after(day))
        return kept

    def _after(self, day: Any) -> datetime:
        return first_instant(day + timedelta(days=1), self.account.tz)


def beside(form: ProposalListForm, proposal: FlowProposal) -> tuple[UUID | None, UUID | None, int, int]:
    """Of the queue as the form shows it: the proposal before, the one after, its place from 1, how many there are.

    One that is not in it any more, as it was decided meanwhile, stands where it would have stood; its place is 0.
    """
    keys = [name.lstrip("-") for name in ORDERS[form.cleaned_data.get("sort") or ""][1]]
    rows = list(form.proposals().values_list("id", *keys))
    ids = [row[0] for row in rows]
    if proposal.id in ids:
        at = ids.index(proposal.id)
        return (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None), at + 1, len(ids)
    mine = tuple(getattr(proposal, key) for key in keys)
    downwards = ORDERS[form.cleaned_data.get("sort") or ""][1][0].startswith("-")
    at = sum(1 for _, *values in rows if (tuple(values) > mine) == downwards)
    return (ids[at - 1] if at else None), (ids[at] if at < len(ids) else None), 0, len(ids)
