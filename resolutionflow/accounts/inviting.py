"""Inviting people by mail: a user without a password, and a link with which they set one."""

import logging
from datetime import datetime
from smtplib import SMTPException

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from resolutionflow.accounts.models import Account, AuditEntry, Role, User

log = logging.getLogger(__name__)


class Taken(Exception):
    """The email cannot be used: somebody has it, here or anywhere else."""


def invite(account: Account, *, email: str, name: str, role: Role, by: User, at: datetime) -> User:
    """Makes the user, who has no password yet. The mail is `send_link`'s, once this is committed."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, account=account, name=name, role=role, invited_at=at)
            AuditEntry.record("user.invited", actor=by, account=account, object=user.email, role=role)
    except (IntegrityError, ValidationError) as error:
        raise Taken from error
    return user


def invite_again(user: User, *, by: User, at: datetime) -> None:
    """Notes that the person is invited once more; an earlier link stays good for its time."""
    user.invited_at = at
    user.save(update_fields=["invited_at"])
    AuditEntry.record("user.invited_again", actor=by, account=user.account, object=user.email)


def send_link(user: User, *, by: User, returning: bool = False) -> bool:
    """Mails the link to set a password; False if the mail server did not take it. `returning`: to somebody who had been
    deactivated."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    words = {
        "user": user,
        "by": by,
        "returning": returning,
        "link": get_adapter().get_reset_password_from_key_url(key),
        "days": settings.PASSWORD_RESET_TIMEOUT // (24 * 3600),
    }
    try:
        get_adapter().send_mail("account/email/invitation", user.email, words)
    except (SMTPException, OSError):
        log.exception("An invitation could not be mailed")
        return False
    return True
