from typing import Any

from allauth.account import forms
from django.db import transaction
from django.utils import timezone

from resolutionflow.accounts.models import AuditEntry, User


class ResetPasswordForm(forms.ResetPasswordForm):
    """Mails the link to the person whose email this is now; addresses of former times open nothing."""

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).strip().lower()
        self.users: list[Any] = list(User.objects.filter(email=email, is_active=True))
        return email


class ResetPasswordKeyForm(forms.ResetPasswordKeyForm):
    """A new password by the link in a mail. Who forgot the password may have lost it to a thief: the tokens end too,
    while an ordinary change keeps them."""

    user: User

    def save(self) -> None:
        with transaction.atomic():
            super().save()
            revoked = self.user.revoke_tokens(timezone.now())
            AuditEntry.record(
                "password.reset",
                actor=self.user,
                account=self.user.account,
                object=self.user.email,
                tokens_revoked=revoked,
            )
