"""The forms of the library: a new flow, and what to copy from the starter library."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction

from flowpilot.flows import publishing
from flowpilot.flows.domains import domain_named
from flowpilot.flows.library import starter_library
from flowpilot.flows.models import Domain, Flow
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.accounts.settings_forms import OneLine
from resolutionflow.folding import by_name

TAKEN = "A flow with this name exists already."


class NewFlowForm(forms.Form):
    """What a flow is about; its steps are the editor's."""

    name = OneLine(
        max_length=300, help_text="What an engineer would call the problem, such as “VPN does not connect”."
    )
    description = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="When to use it, in a sentence or two. The search reads it too.",
    )
    domain = OneLine(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "domains", "autocomplete": "off"}),
        help_text="One of your account's, or a new one.",
    )
    kind = forms.ChoiceField(
        choices=[
            (Flow.Kind.TROUBLESHOOTING, "Troubleshooting: questions that lead to the cause"),
            (Flow.Kind.PROCEDURAL, "Procedural: steps in a row, such as a new starter"),
        ]
    )

    def domains(self) -> list[str]:
        """The names to choose from."""
        return list(Domain.objects.order_by(*by_name()).values_list("name", flat=True))

    def save_unless_taken(self, request: AccountRequest) -> Flow | None:
        """The new draft; None if the name is taken, and the form says so."""
        data = self.cleaned_data
        try:
            with transaction.atomic():
                return publishing.create(
                    name=data["name"],
                    description=data["description"],
                    domain=domain_named(data["domain"]) if data["domain"] else None,
                    kind=Flow.Kind(data["kind"]),
                    user=request.user,
                    now=request.now,
                )
        except ValidationError as refused:
            for name, messages in refused.message_dict.items():
                for message in messages:  # the row's only rule of its own is about its name
                    self.add_error("name" if name == NON_FIELD_ERRORS else name, message)
        except IntegrityError:  # somebody took it since it was looked up
            self.add_error("name", TAKEN)
        return None


class StarterForm(forms.Form):
    """Which flows of the starter library to copy, and whether engineers can run them at once."""

    flow = forms.MultipleChoiceField(
        label="Flows",
        error_messages={
            "required": "Choose at least one flow.",
            "invalid_choice": "The starter library has no such flow.",
        },
    )
    how = forms.ChoiceField(
        label="Copy as",
        choices=[
            ("published", "Published: engineers can run them at once"),
            ("drafts", "Drafts: only shown in the library until you publish them"),
        ],
        initial="published",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["flow"].choices = [(flow.slug, flow.name) for flow in starter_library()]
