"""What a team admin enters about the ticket system. A secret goes in and never comes out again."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from flowpilot.psa.connecting.options import Options, labelled
from flowpilot.psa.connecting.providers import Credential, System
from flowpilot.psa.models import PsaConnection
from flowpilot.psa.providers import errors
from flowpilot.psa.providers.addresses import site_of
from flowpilot.psa.providers.base import Billing, Visibility
from flowpilot.psa.pushing.note import BLANKS, unknown_blanks
from resolutionflow.accounts.models import User
from resolutionflow.storable import UNSTORABLE

CREDENTIAL_LENGTH, REF_LENGTH, TEMPLATE_LENGTH = 500, 100, 4000
KEPT = "Kept; leave empty to keep it."
UNDER_WAY = (
    "{count} under way to the ticket system that is connected now, and could not go on to another one: wait until "
    "they have arrived, or see to them in the ledger. If it answers no more, remove this connection first."
)
NOT_SAVED = "Nothing was saved, and what was in use stays. Enter the keys once more."
VISIBILITIES = {
    Visibility.INTERNAL: "Internal: only your team reads it",
    Visibility.CUSTOMER: "Discussion: the customer reads it too",
    Visibility.RESOLUTION: "Resolution: as what solved the ticket",
}
BILLINGS = {
    Billing.DEFAULT: "As the ticket system decides",
    Billing.BILLABLE: "Billable",
    Billing.DO_NOT_BILL: "Not billed",
    Billing.NO_CHARGE: "No charge",
}
ROUNDINGS = [(1, "To the minute"), (5, "Up to 5 minutes"), (6, "Up to 6 minutes"), (10, "Up to 10 minutes")]
ROUNDINGS += [(15, "Up to 15 minutes"), (30, "Up to 30 minutes")]


class ConnectForm(forms.Form):
    """Where the ticket system is, and the keys to it. What is saved already may stay empty."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        system: System,
        connection: PsaConnection | None,
        known: Mapping[str, str],
        internal_hosts: Sequence[str],
    ) -> None:
        """known: the credentials that are saved; of the secret ones only that they are."""
        super().__init__(data)
        self.system, self.known, self.internal_hosts = system, known, internal_hosts
        self.saved_url = connection.base_url if connection else ""
        self.fields["base_url"] = forms.CharField(
            label=system.address_label,
            help_text=system.address_help,
            max_length=300,
            initial=connection.base_url if connection else "",
            widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
        )
        for credential in system.credentials:
            self.fields[credential.name] = self._field(credential)

    def _field(self, credential: Credential) -> forms.CharField:
        saved = bool(self.known.get(credential.name))
        attributes = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
        if not credential.secret:
            return forms.CharField(
                label=credential.label,
                help_text=credential.help,
                max_length=REF_LENGTH,
                initial=self.known.get(credential.name, ""),
                widget=forms.TextInput(attrs=attributes),
            )
        return forms.CharField(
            label=credential.label,
            help_text=KEPT if saved else credential.help,
            max_length=CREDENTIAL_LENGTH,
            required=not saved,
            widget=forms.PasswordInput(attrs=attributes | {"autocomplete": "new-password"}),
        )

    def clean_base_url(self) -> str:
        try:
            return site_of(self.cleaned_data["base_url"], self.internal_hosts)
        except errors.Misconfigured as error:
            raise forms.ValidationError(error.message) from None

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for credential in self.system.credentials:
            value = data.get(credential.name)
            if value and (UNSTORABLE.search(value) or not value.isprintable()):
                self.add_error(credential.name, "Copy it again: it has characters that no key has.")
            # else whoever may change the address could have the keys sent to a host of their own
            elif (
                credential.secret
                and not value
                and self.known.get(credential.name)
                and self._leads_elsewhere(data)
            ):
                self.add_error(credential.name, "Enter it anew: saved keys are not sent anywhere else.")
        return data

    def _leads_elsewhere(self, data: Mapping[str, Any]) -> bool:
        """Whether the address, or what else says whose ticket system it is, is another one than the keys were for."""
        plain = [credential.name for credential in self.system.credentials if not credential.secret]
        return data.get("base_url") != self.saved_url or any(
            (data.get(name) or self.known.get(name, "")) != self.known.get(name, "") for name in plain
        )

    def credentials(self) -> dict[str, str]:
        """What is to be sealed: what was entered, and of the rest what is saved."""
        entered = {c.name: self.cleaned_data.get(c.name) or "" for c in self.system.credentials}
        return {name: value or self.known.get(name, "") for name, value in entered.items()}


class DefaultsForm(forms.Form):
    """What the end of a session proposes, and how time is entered."""

    sends_note = forms.BooleanField(label="Send a note", required=False)
    visibility = forms.ChoiceField(label="Who reads the note", choices=list(VISIBILITIES.items()))
    sends_time = forms.BooleanField(label="Log time", required=False)
    rounding = forms.TypedChoiceField(label="Round the time", choices=ROUNDINGS, coerce=int)
    work_type = forms.CharField(label="Work type", required=False, max_length=REF_LENGTH)
    work_role = forms.CharField(label="Work role", required=False, max_length=REF_LENGTH)
    location = forms.CharField(label="Location", required=False, max_length=REF_LENGTH)
    billing = forms.ChoiceField(label="Billing", choices=list(BILLINGS.items()))
    status_name = forms.CharField(
        label="Set this status once it is resolved",
        required=False,
        max_length=REF_LENGTH,
        help_text="The status's name as boards have it, such as “Completed”. Empty: the status is left alone.",
    )

    REFS = ("work_type", "work_role", "location")

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, connection: PsaConnection, options: Options | None
    ) -> None:
        saved = connection.defaults
        super().__init__(data, initial=defaults_of(connection), prefix="defaults")
        for name in self.REFS:
            choices = getattr(options, f"{name}s") if options else ()
            self.fields[name].widget = chooser(choices, str(saved.get(name) or ""), saved)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name, value in data.items():
            if isinstance(value, str):
                data[name] = UNSTORABLE.sub("", value)
        return data


def defaults_of(connection: PsaConnection) -> dict[str, Any]:
    """What is saved over what is usual: an internal note, and time to the minute."""
    usual = {
        "sends_note": True,
        "visibility": Visibility.INTERNAL.value,
        "sends_time": False,
        "rounding": 1,
        "billing": Billing.DEFAULT.value,
        "status_name": "",
    }
    saved: dict[str, Any] = connection.defaults
    return usual | saved


def chooser(options: Sequence[tuple[str, str]], chosen: str, saved: Mapping[str, Any]) -> forms.Select:
    """A select of what the ticket system has; what is chosen stays in it, even if the lists are not here."""
    choices = [("", "None"), *options]
    if chosen and chosen not in dict(choices):
        choices.append((chosen, labelled(saved, chosen)))
    return forms.Select(choices=choices)


class TemplateForm(forms.Form):
    """What notes look like."""

    note_template = forms.CharField(
        label="Note template",
        required=False,
        max_length=TEMPLATE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 10}),
    )

    blanks = tuple(BLANKS.items())

    def clean_note_template(self) -> str:
        template = UNSTORABLE.sub("", self.cleaned_data["note_template"]).replace("\r\n", "\n")
        if unknown := unknown_blanks(template):
            named = ", ".join(f"{{{name}}}" for name in unknown)
            raise forms.ValidationError(f"Nothing is known by the name of {named}. See what can stand in it.")
        return template


class MemberForm(forms.Form):
    """Who one engineer is in the ticket system."""

    member = forms.CharField(required=False, max_length=REF_LENGTH)
    work_role = forms.CharField(required=False, max_length=REF_LENGTH)
    location = forms.CharField(required=False, max_length=REF_LENGTH)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        person: User,
        saved: Mapping[str, str],
        options: Options | None,
    ) -> None:
        super().__init__(data, initial=dict(saved), prefix=f"member-{person.pk}")
        self.person = person
        for name, field in self.fields.items():
            choices = getattr(options, f"{name}s") if options else ()
            chosen = saved.get(name, "")
            shown = {"names": {chosen: saved.get("login") or chosen}} if name == "member" else {}
            field.widget = chooser(choices, chosen, shown)
            field.widget.attrs["aria-label"] = f"{LABELS[name]} of {person.name}"

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("member") and (data.get("work_role") or data.get("location")):
            self.add_error("member", "Choose a member, or leave role and location empty.")
        return {name: UNSTORABLE.sub("", str(value)) for name, value in data.items()}


LABELS = {"member": "Member", "work_role": "Work role", "location": "Location"}
