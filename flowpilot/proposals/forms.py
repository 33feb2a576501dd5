"""What a reviewer says with a decision."""

from django import forms

from flowpilot.proposals.reviewing import NOTE_LENGTH


class RejectForm(forms.Form):
    reason = forms.CharField(
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "id": "reject-reason"}),
        help_text="It stays with the proposal. The problem comes back only when its evidence has doubled.",
        error_messages={"required": "Say why: the next reviewer of this problem reads it."},
    )


class DismissForm(forms.Form):
    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2, "id": "dismiss-note"}),
        help_text="If you like.",
    )
