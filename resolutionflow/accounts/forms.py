from typing import Any

from allauth.account import forms

from resolutionflow.accounts.models import User


class ResetPasswordForm(forms.ResetPasswordForm):
    """Mails the link to the person whose email this is now; addresses of former times open nothing."""

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        self.users: list[Any] = list(User.objects.filter(email=email, is_active=True))
        return email
