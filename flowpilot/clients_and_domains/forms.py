from typing import Any, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction

from flowpilot.clients_and_domains.kinds import Entry, Kind
from resolutionflow.accounts.settings_forms import OneLine
from resolutionflow.folding import by_name
from resolutionflow.long_select import LongSelect


class SearchForm(forms.Form):
    q = forms.CharField(required=False, max_length=200, label="Name")


class EntryForm(forms.ModelForm):
    """Name and, of a client, its number in the PSA."""

    name = OneLine(max_length=200)

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
            self.add_error("name", f"A {self._meta.model._meta.verbose_name} with this name exists already.")
            return False
        return True


def entry_form(kind: Kind) -> type[EntryForm]:
    made = forms.modelform_factory(
        kind.model,
        form=EntryForm,
        fields=kind.fields,
        labels={"psa_company_id": "ID in the PSA"},
        help_texts={"psa_company_id": "What the ticket system calls this client; empty if it is not linked."},
    )
    return cast(type[EntryForm], made)


class MergeForm(forms.Form):
    """Into which other one."""

    into = forms.UUIDField(label="Merge into", widget=LongSelect(), error_messages={"invalid": "Choose one."})

    def __init__(self, data: Any, *, kind: Kind, source: Entry) -> None:
        super().__init__(data)
        self.fields["into"].help_text = (
            f"For two names of the same {kind.noun}: everything of this one goes there, and this one is gone. "
            "The next page says how much that is."
        )
        self.fields["into"].error_messages["required"] = f"Choose the {kind.noun} that stays."
        others = kind.entries.exclude(id=source.id).order_by(*by_name()).values_list("id", "name")
        choices: Any = self.fields["into"].widget
        choices.choices = [("", "Choose…"), *((str(id_), name) for id_, name in others)]
        self.source = source

    def clean_into(self) -> Any:
        if self.cleaned_data["into"] == self.source.id:
            raise ValidationError("Choose another one than itself.")
        return self.cleaned_data["into"]
