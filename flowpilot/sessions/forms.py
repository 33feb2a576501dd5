"""What comes in with each act in a session."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from uuid6 import uuid7

from flowpilot.clients.choices import client_choices
from flowpilot.clients.models import Client
from flowpilot.flows import structure
from flowpilot.flows.models import Domain, Flow
from flowpilot.flows.scripts import MOST_CHARACTERS, Script, faults_of
from flowpilot.sessions.driving import (
    ANSWER_LENGTH,
    ID_LENGTH,
    NOTE_LENGTH,
    TEXT_LENGTH,
    TITLE_LENGTH,
    needs_summary,
)
from flowpilot.sessions.models import Session
from flowpilot.sessions.starting import PROBLEM_LENGTH, TICKET_LENGTH
from flowpilot.sessions.states import Outcome
from resolutionflow.long_select import LongSelect
from resolutionflow.storable import visible


class Words(forms.CharField):
    """Text of several lines; browsers send their ends as CR LF."""

    def __init__(self, *, most: int, rows: int = 3, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "data-draft": ""})
        super().__init__(max_length=most, widget=widget, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


class DecisionId(forms.CharField):
    """Made by whoever sends the form, so that sending it twice does it once."""

    def __init__(self) -> None:
        super().__init__(max_length=ID_LENGTH, validators=[RegexValidator(r"\A[\w.:+-]+\Z")])


class DecideForm(forms.Form):
    """An answer at a step of the flow; after an action there is none."""

    decision_id = DecisionId()
    node_id = forms.CharField(max_length=structure.ID_LENGTH, strip=False)
    answer = forms.CharField(max_length=ANSWER_LENGTH, required=False, strip=False)
    note = Words(most=NOTE_LENGTH, required=False)


class BesideForm(forms.Form):
    """A step beside the flow, or without one."""

    decision_id = DecisionId()
    title = forms.CharField(
        label="What did you do?",
        max_length=TITLE_LENGTH,
        widget=forms.TextInput(attrs={"data-draft": "", "autocomplete": "off", "enterkeyhint": "done"}),
    )
    answer = forms.CharField(
        label="What came of it?",
        max_length=ANSWER_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"data-draft": "", "autocomplete": "off", "enterkeyhint": "done"}),
    )
    note = Words(label="Note", most=NOTE_LENGTH, required=False, rows=2)


class DecisionForm(forms.Form):
    """A decision and nothing else."""

    decision_id = DecisionId()


class NoteForm(forms.Form):
    """What is said of a step later on: a note, what came of it, or both. What is not sent stays as it is."""

    decision_id = DecisionId()
    note = Words(most=NOTE_LENGTH, required=False)
    answer = forms.CharField(max_length=ANSWER_LENGTH, required=False)

    def said(self) -> dict[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if name in self.data}


class HelpForm(forms.Form):
    reason = Words(
        label="What do you need help with?",
        most=TEXT_LENGTH,
        help_text="Your colleagues see it with the problem, the client, the ticket and the steps so far.",
    )


class AnswerForm(forms.Form):
    answer = Words(label="Your answer", most=NOTE_LENGTH)


class FinishForm(forms.Form):
    """How a session ended. Without a guide, it has to be said what solved it."""

    outcome = forms.ChoiceField(
        label="How did it end?",
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say how it ended."},
    )
    resolution_summary = Words(label="What solved it?", most=TEXT_LENGTH, required=False, rows=4)
    escalation_reason = Words(label="Why is it handed over?", most=TEXT_LENGTH, required=False, rows=2)

    def __init__(self, *args: Any, session: Session, **options: Any) -> None:
        super().__init__(*args, **options)
        self.session = session

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        outcome = data.get("outcome") or ""
        if needs_summary(self.session, outcome) and data.get("resolution_summary") == "":
            self.add_error("resolution_summary", "Say what solved it: nobody else knows yet.")
        if outcome == Outcome.ESCALATED and data.get("escalation_reason") == "":
            self.add_error("escalation_reason", "Say why: whoever goes on starts from it.")
        return data


class ScriptForm(forms.Form):
    """One field a blank of a step's script. What is marked secret is never put back into the page."""

    prefix = "blank"

    def __init__(
        self, script: Script, data: Mapping[str, Any] | None = None, *, known: Mapping[str, str]
    ) -> None:
        super().__init__(data)
        self.script = script
        for blank in script.get("blanks", []):
            kept = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
            widget = forms.PasswordInput(attrs=kept) if blank.get("secret") else forms.TextInput(attrs=kept)
            self.fields[blank["name"]] = forms.CharField(
                label=blank["label"],
                max_length=MOST_CHARACTERS,
                widget=widget,
                initial=None if blank.get("secret") else known.get(blank["name"]),
                strip=not blank.get("secret"),
                help_text="Secret: it is kept nowhere." if blank.get("secret") else "",
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name, fault in faults_of(self.script, {k: str(v) for k, v in data.items()}).items():
            if name not in self.errors:
                self.add_error(name, fault)
        return data


class StartForm(forms.Form):
    """A new session. `session_id` is made with the form, so that sending it twice starts one."""

    session_id = forms.UUIDField(widget=forms.HiddenInput)
    problem_summary = forms.CharField(
        label="What is the problem?",
        max_length=PROBLEM_LENGTH,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
        error_messages={"required": "Say in a few words what the problem is."},
    )
    client: "forms.ModelChoiceField[Client]" = forms.ModelChoiceField(None, required=False, widget=LongSelect)
    psa_ticket_id = forms.CharField(
        label="Ticket",
        max_length=TICKET_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "48213"}),
    )
    problem_description = forms.CharField(
        label="More about it",
        max_length=TEXT_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Error messages, what changed, what was tried before.",
    )
    flow: "forms.ModelChoiceField[Flow]" = forms.ModelChoiceField(
        None,
        required=False,
        error_messages={"invalid_choice": "This flow is not published any more. Choose another one."},
    )
    domain: "forms.ModelChoiceField[Domain]" = forms.ModelChoiceField(
        None,
        required=False,
        error_messages={"invalid_choice": "This domain is not there any more. Choose another one."},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["session_id"].initial = uuid7
        fields["client"].queryset = Client.objects.all()
        choices: Callable[[], list[tuple[str, str]]] = lambda: client_choices("No client")  # noqa: E731
        fields["client"].choices = choices
        fields["flow"].queryset = Flow.objects.filter(status=Flow.Status.PUBLISHED)
        fields["domain"].queryset = Domain.objects.all()

    def clean_psa_ticket_id(self) -> str:
        ticket: str = self.cleaned_data["psa_ticket_id"]
        ticket = ticket.lstrip("# ").strip()
        return ticket if visible(ticket) else ""

    def clean_problem_summary(self) -> str:
        problem: str = self.cleaned_data["problem_summary"]
        if not visible(problem):
            raise ValidationError(self.fields["problem_summary"].error_messages["required"])
        return problem

    def clean_session_id(self) -> UUID:
        id_: UUID = self.cleaned_data["session_id"]
        if id_.version != 7:
            raise ValidationError("Load this page anew: it was not made here.")
        return id_
