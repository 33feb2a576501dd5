from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction

from flowpilot.flows.models import Domain, Flow
from resolutionflow.accounts.settings_forms import OneLine
from resolutionflow.folding import by_name
from resolutionflow.long_select import LongSelect

FIELDS = ("name", "description", "domain", "kind")


class FlowForm(forms.ModelForm):
    """The flow's own data. Each field knows what it was when the page was made: only what its author changed is
    written, and what somebody else changed meanwhile is told before it is overwritten."""

    name = OneLine(max_length=300, help_text="What engineers look for: the problem in their words.")
    description = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 3}),
        help_text="When this flow fits, in a sentence or two.",
    )
    domain: Any = forms.ModelChoiceField(None, required=False, empty_label="None", widget=LongSelect())

    class Meta:
        model = Flow
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = {name: self.initial.get(name) for name in FIELDS}
        fields: Any = self.fields
        fields["domain"].queryset = Domain.objects.order_by(*by_name())
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in set(FIELDS) & set(cleaned):
            if name not in self.changed_data:
                cleaned[name] = getattr(self.instance, name)
            elif self._seen(name) != _plain(self.stored[name]) and _plain(cleaned[name]) != _plain(
                self.stored[name]
            ):
                self.add_error(name, self._told(name))
        return cleaned

    def _seen(self, name: str) -> str:
        return _plain(self.data.get(self.add_initial_prefix(name), ""))

    def _told(self, name: str) -> str:
        now = getattr(self.instance, f"get_{name}_display", lambda: getattr(self.instance, name))()
        self.data = {**self.data.dict(), self.add_initial_prefix(name): _plain(self.stored[name])}  # type: ignore[attr-defined]
        return f"Somebody else changed this to “{now or 'nothing'}” meanwhile. Save again to put yours in its place."

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if taken := self.errors.pop(NON_FIELD_ERRORS, None):  # the row's only rule is about its name
            self.add_error("name", ValidationError(taken.as_data()))

    def save_unless_taken(self) -> bool:
        """Whether it was saved; else somebody took the name since it was looked up, and the form says so."""
        try:
            with transaction.atomic():
                self.save()
        except IntegrityError:
            self.add_error("name", "A flow with this name exists already.")
            return False
        return True


class PublishForm(forms.Form):
    note = forms.CharField(
        required=False,
        max_length=500,
        label="What is new",
        help_text="Stands beside the version, for colleagues and for yourself in a year.",
        widget=forms.Textarea({"rows": 3}),
    )


def _plain(value: object) -> str:
    return "" if value is None else str(getattr(value, "pk", value)).replace("\r\n", "\n")
