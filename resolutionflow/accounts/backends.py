from typing import cast
from uuid import UUID

from allauth.account.auth_backends import AuthenticationBackend

from resolutionflow.accounts.models import User


class EmailBackend(AuthenticationBackend):
    """Sign-in by the email that a person has now. allauth would accept former ones too, which it remembers."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        user = User.objects.filter(email=email.strip().lower()).first() if "\0" not in email else None
        return cast(User | None, self._check_password(user, password))

    def get_user(self, user_id: UUID) -> User | None:
        """Every request needs the account too: it comes with the user in one query."""
        user = User.objects.select_related("account").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
