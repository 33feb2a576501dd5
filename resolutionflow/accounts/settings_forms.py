from typing import Any

from django import forms

from resolutionflow.accounts.models import User


class OneLine(forms.CharField):
    """A name: one line, blanks in a row are one."""

    def to_python(self, value: Any) -> Any:
        return " ".join(str(super().to_python(value) or "").split())


class ProfileForm(forms.ModelForm):
    name = OneLine(max_length=200, help_text="As your colleagues see it.")

    class Meta:
        model = User
        fields = ("name", "weekly_digest")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.account is None:
            del self.fields["weekly_digest"]  # there are no figures to send
