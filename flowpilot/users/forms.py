from typing import Any

from django import forms

from resolutionflow.accounts.models import ANONYMISED_HOST, Account, Role, User
from resolutionflow.accounts.settings_forms import OneLine

CANNOT_BE_USED = "This email cannot be used in this account."
IN_THIS_ACCOUNT = "Somebody in this account has this email already."


class LoginEmail(forms.EmailField):
    """One sentence for every address that does not do, so that it tells nothing of who has a login."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value).lower()
        except forms.ValidationError:
            raise forms.ValidationError(CANNOT_BE_USED if value else "This field is required.") from None


class InviteForm(forms.Form):
    """Whom to invite. Which addresses have a login elsewhere it does not tell."""

    email = LoginEmail(max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    name = OneLine(max_length=200)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ENGINEER)

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if email.endswith(f"@{ANONYMISED_HOST}"):  # kept for people who are gone
            raise forms.ValidationError(CANNOT_BE_USED)
        if found := User.objects.filter(email=email).first():
            raise forms.ValidationError(
                IN_THIS_ACCOUNT if found.account_id == self.account.pk else CANNOT_BE_USED
            )
        return email


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)
    can_author = forms.BooleanField(
        required=False,
        label="May write flows",
        help_text="Create, change, publish and archive them. Team admins always may.",
    )


class UserListForm(forms.Form):
    """Which users the list shows: those who are not deactivated, unless all are asked for."""

    state = forms.ChoiceField(choices=[("", "Active"), ("all", "All")], required=False)
    q = forms.CharField(max_length=200, required=False, label="Search")
