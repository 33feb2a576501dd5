from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from resolutionflow.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is closed: users come from commands, imports and invitations."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        """Saves nothing else of the person, who may be deactivated or get another role at the same moment."""
        user.set_password(password)
        user.save(update_fields=["password"])
