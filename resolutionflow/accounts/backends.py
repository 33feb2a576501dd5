from uuid import UUID

from allauth.account.auth_backends import AuthenticationBackend

from resolutionflow.accounts.models import User


class EmailBackend(AuthenticationBackend):
    """Sign-in by email. Every request needs the account too, so it comes with the user in one query."""

    def get_user(self, user_id: UUID) -> User | None:
        user = User.objects.select_related("account").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
