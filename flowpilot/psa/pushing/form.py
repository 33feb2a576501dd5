"""What of a session goes to its ticket: chosen at its end, or afterwards as a further revision."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from django import forms

from flowpilot.psa.connecting.forms import VISIBILITIES, defaults_of
from flowpilot.psa.models import PsaConnection, PsaMember
from flowpilot.psa.outbox import MOST_MINUTES, Planned, PushChoices, preview
from flowpilot.psa.providers.base import Billing, StatusOption, Visibility
from flowpilot.psa.pushing.meant import Meant
from flowpilot.psa.pushing.note import as_ended, minutes_of, note_text
from flowpilot.psa.pushing.ticket_now import TicketNow
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Outcome, Refused
from resolutionflow.storable import UNSTORABLE

TEXT_LENGTH = 40_000
OTHER_TICKET = "Another ticket is linked by now, {ticket}. Look at what is sent, then finish."
SOLVED = (Outcome.RESOLVED, Outcome.WORKAROUND)


def ending_of(data: Mapping[str, Any]) -> dict[str, str]:
    """How a session ends, as the form of its end says: outcome, summary and reason."""
    names = {"outcome": "outcome", "summary": "resolution_summary", "reason": "escalation_reason"}
    return {
        key: UNSTORABLE.sub("", str(data.get(name) or "")).replace("\r\n", "\n").strip()
        for key, name in names.items()
    }


class PushForm(forms.Form):
    """`made` names the note's text as it was made here and what it was made from. A text that was not edited is made
    anew when the session ends otherwise than it was shown; one that was edited is sent as it stands."""

    prefix = "push"

    ticket = forms.CharField(max_length=100, widget=forms.HiddenInput)
    note = forms.BooleanField(label="Note", required=False)
    visibility = forms.ChoiceField(label="Who reads it", required=False, choices=list(VISIBILITIES.items()))
    note_text = forms.CharField(
        label="Text of the note",
        required=False,
        strip=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    made = forms.CharField(required=False, max_length=130, widget=forms.HiddenInput)
    time = forms.BooleanField(label="Time entry", required=False)
    minutes = forms.IntegerField(
        label="Minutes",
        required=False,
        min_value=1,
        max_value=MOST_MINUTES,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    status = forms.CharField(label="Status", required=False, max_length=100)
    status_seen = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        session: Session,
        connection: PsaConnection,
        now: datetime,
        tz: tzinfo,
        ticket_now: TicketNow | None = None,
        already: Sequence[str] = (),
        meant: Meant | None = None,
    ) -> None:
        """ticket_now: the ticket as it was looked up; None where nobody looked. already: kinds that the ticket has.
        meant: what was to go to another ticket, and is proposed for this one."""
        self.session, self.connection, self.now, self.tz = session, connection, now, tz
        self.ticket_now, self.already, self.meant = ticket_now, already, meant
        self.defaults = defaults_of(connection)
        super().__init__(data, initial=self._proposed(), auto_id="%s")
        self.fields["status"].widget = forms.Select(choices=self._statuses())

    def _proposed(self) -> dict[str, Any]:
        """What the connection says, or what was meant for another ticket; not what the ticket has already, and no time
        where it cannot be entered."""
        meant = self.meant
        note = "note" in meant.kinds if meant else self.defaults["sends_note"]
        time = "time_entry" in meant.kinds if meant else self.defaults["sends_time"]
        usual = minutes_of(self.session, self.now, self.defaults["rounding"])
        return {
            "ticket": self.session.psa_ticket_id,
            "note": note and "note" not in self.already,
            "visibility": self.defaults["visibility"],
            "note_text": meant.note_text if meant else "",
            "time": time and "time_entry" not in self.already and self.has_member,
            "minutes": meant.minutes if meant and meant.minutes else usual,
            "status": "",
            "status_seen": "",
        }

    @property
    def has_member(self) -> bool:
        """Whether the ticket system knows the engineer, without whom it takes no time."""
        if not hasattr(self, "_has_member"):
            members = PsaMember.objects.filter(connection=self.connection, user=self.session.user_id)
            self._has_member = members.exists()
        return self._has_member

    def _statuses(self) -> list[tuple[str, str]]:
        choices = [("", "Leave it as it is")]
        options = self.ticket_now.statuses if self.ticket_now else ()
        choices += [(option.ref, option.name) for option in options]
        chosen = str(self.data.get(self.add_prefix("status"), ""))[:100]
        if chosen and chosen not in dict(choices):
            choices.append((chosen, "The status that you chose"))
        return choices

    @property
    def status_words(self) -> str:
        """The status that is chosen, and the one that the ticket has as far as anybody looked."""
        chosen = str(self["status"].value() or "")
        name = dict(self.fields["status"].widget.choices).get(chosen, chosen)
        before = self.ticket_now.ticket.status if self.ticket_now and self.ticket_now.ticket else ""
        return f"{before} → {name}" if before else str(name)

    def clean_ticket(self) -> str:
        ticket: str = self.cleaned_data["ticket"]
        if ticket != self.session.psa_ticket_id:
            raise forms.ValidationError(OTHER_TICKET.format(ticket=self.session.psa_ticket_id))
        return ticket

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for name in ("note_text", "status", "status_seen", "made"):
            data[name] = UNSTORABLE.sub("", data.get(name) or "").replace("\r\n", "\n")
        if data.get("time") and not data.get("minutes") and "minutes" not in self.errors:
            self.add_error("minutes", "Say how many minutes, or log no time.")
        return data

    def anew(self, ending: Mapping[str, str]) -> "PushForm":
        """The form as it is once somebody looked, with everything that was entered."""
        data = {self.add_prefix(name): value for name, value in self._looked_at(ending).items()}
        return PushForm(
            {
                name: "on" if value is True else value
                for name, value in data.items()
                if value not in (False, None)
            },
            session=self.session,
            connection=self.connection,
            now=self.now,
            tz=self.tz,
            ticket_now=self.ticket_now,
            already=self.already,
            meant=self.meant,
        )

    def planned(self, ending: Mapping[str, str]) -> tuple[list[Planned], str]:
        """What would be sent, to the letter, and in words why it cannot be, or ""."""
        if not self.is_valid():
            return [], ""
        session = self.as_it_ends(ending)
        choices = self.choices(session, ending)
        if not choices.kinds:
            return [], ""
        try:
            return preview(session, choices, now=self.now), ""
        except Refused as refusal:
            return [], str(refusal)

    def as_it_ends(self, ending: Mapping[str, str]) -> Session:
        if self.session.completed_at is not None:
            return self.session
        return as_ended(self.session, ending["outcome"], ending["summary"], ending["reason"], self.now)

    def _looked_at(self, ending: Mapping[str, str]) -> dict[str, Any]:
        entered = self._entered()
        values = {**self._proposed(), **(entered or {})}
        if (
            values["ticket"] != self.session.psa_ticket_id
        ):  # what is shown from now on is of the one linked by now
            values |= {"ticket": self.session.psa_ticket_id, "status": "", "status_seen": ""}
        text, made = str(values.get("note_text") or "").replace("\r\n", "\n"), str(values.get("made") or "")
        values["note_text"] = text
        if not text or _digest(text) == made.partition(".")[0]:
            text = note_text(self.as_it_ends(ending), self.connection.note_template, self.tz)
            values |= {"note_text": text, "made": f"{_digest(text)}.{_digest(*ending.values())}"}
        if self.ticket_now and self.ticket_now.ticket:
            if not values.get("status_seen"):
                values["status"] = values.get("status") or self._usual_status(ending["outcome"])
            values["status_seen"] = self.ticket_now.ticket.status_ref
        return values

    def _entered(self) -> dict[str, Any] | None:
        if not self.is_bound:
            return None
        widgets = {name: field.widget for name, field in self.fields.items()}
        return {
            name: widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, widget in widgets.items()
        }

    def _usual_status(self, outcome: str) -> str:
        options: Sequence[StatusOption] = self.ticket_now.statuses if self.ticket_now else ()
        if self.meant and any(option.ref == self.meant.status for option in options):
            return self.meant.status
        wanted = str(self.defaults["status_name"]).casefold()
        if not wanted or outcome not in SOLVED or (self.meant and not self.meant.status):
            return ""
        return next((option.ref for option in options if option.name.casefold() == wanted), "")

    def choices(self, session: Session, ending: Mapping[str, str]) -> PushChoices:
        """Of a valid form, for the outbox. session: as it has ended, or as it will."""
        data = self.cleaned_data
        text, (of_text, _, of_ending) = data["note_text"], data["made"].partition(".")
        edited = bool(text) and _digest(text) != of_text
        if not edited and (not text or of_ending != _digest(*ending.values())):
            text = note_text(session, self.connection.note_template, self.tz)
        return PushChoices(
            note=data["note"],
            note_text=text,
            visibility=Visibility(data["visibility"] or self.defaults["visibility"]),
            time=data["time"],
            minutes=data["minutes"] or 0,
            time_text=time_text(session),
            billing=Billing(self.defaults["billing"]),
            status=data["status"] or None,
            status_seen=data["status_seen"] or None,
        )


def time_text(session: Session) -> str:
    """What stands beside the time: what was worked on, and what came of it in a line."""
    solution = session.resolution_summary.strip().partition("\n")[0]
    return f"{session.problem_summary}: {solution}" if solution else session.problem_summary


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
