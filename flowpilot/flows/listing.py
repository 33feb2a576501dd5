"""Which flows the library shows, and in which order."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce, Concat

from flowpilot.flows.models import Domain, Flow
from flowpilot.flows.search import has, words_of
from resolutionflow.folding import by_name, folded
from resolutionflow.long_select import LongSelect

NONE = "none"
NAME = by_name()
ORDERS = {
    "": ("By name", NAME),
    "usage": ("Most used first", (F("usage_count").desc(), *NAME)),
    "quality": ("Best quality first", (F("quality_score").desc(nulls_last=True), *NAME)),
    "used": ("Last used first", (F("last_matched_at").desc(nulls_last=True), *NAME)),
}


class FlowListForm(forms.Form):
    """Reads search, filters and order out of a query string. A bad value leaves an error at its field and filters
    nothing; `flows()` may be asked for either way. drafts: whether the viewer may see steps that are not published."""

    q = forms.CharField(required=False, max_length=200, label="Search")
    domain_id = forms.ChoiceField(required=False, label="Domain", widget=LongSelect())
    status = forms.ChoiceField(
        required=False,
        choices=[("", "Published and drafts"), *Flow.Status.choices, ("all", "All, archived too")],
    )
    origin = forms.ChoiceField(required=False, choices=[("", "Any origin"), *Flow.Origin.choices])
    sort = forms.ChoiceField(
        required=False, label="Order", choices=[(name, words) for name, (words, _) in ORDERS.items()]
    )

    def __init__(self, data: Any, *, drafts: bool) -> None:
        super().__init__(data)
        self.drafts = drafts
        domains = Domain.objects.order_by(*by_name()).values_list("id", "name")
        fields: dict[str, Any] = self.fields
        fields["domain_id"].choices = [
            ("", "All domains"),
            *((str(id_), name) for id_, name in domains),
            (NONE, "No domain"),
        ]
        for name in ("domain_id", "status", "origin", "sort"):
            fields[name].error_messages["invalid_choice"] = "This is none of the choices."
            fields[name].widget.attrs["data-autosubmit"] = True

    @property
    def words(self) -> list[str]:
        """What is searched for."""
        self.is_valid()
        return words_of(self.cleaned_data.get("q") or "")

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order was asked for."""
        return any(self.data.get(name) for name in ("q", "domain_id", "status", "origin"))

    def flows(self) -> QuerySet[Flow]:
        """What was asked for, in order, with `domain`.

        Of a search those come first whose name has all the words, then those whose description completes them. The
        others were found in a step, and `found_in` is the structure that has it.
        """
        self.is_valid()
        data = self.cleaned_data
        flows = Flow.objects.select_related("domain").filter(self._filters())
        order = ORDERS[data.get("sort") or ""][1]
        if not self.words:
            return flows.order_by(*order)
        text = TextField()
        name, about = folded(F("name")), folded(Concat("name", Value(" "), "description", output_field=text))
        draft = ["draft__step_texts"] if self.drafts else []
        steps = Coalesce("current_version__step_texts", *draft, Value(""), output_field=text)
        in_name, in_words, anywhere = Q(), Q(), Q()
        for word in self.words:
            in_name &= Q(has(word, name))
            in_words &= Q(has(word, about))
            anywhere &= Q(has(word, about)) | Q(has(word, steps))
        structure = Coalesce("current_version__structure", "draft__structure")
        place = Case(When(in_name, then=0), When(in_words, then=1), default=2)
        return (
            flows.filter(anywhere)
            .annotate(place=place, found_in=Case(When(in_words, then=None), default=structure))
            .order_by("place", *order)
        )

    def _filters(self) -> Q:
        data = self.cleaned_data
        status, domain = data.get("status"), data.get("domain_id")
        kept = Q()
        if not status:
            kept &= ~Q(status=Flow.Status.ARCHIVED)
        elif status != "all":
            kept &= Q(status=status)
        if domain:
            kept &= Q(domain=None) if domain == NONE else Q(domain_id=UUID(domain))
        if data.get("origin"):
            kept &= Q(origin=data["origin"])
        return kept
