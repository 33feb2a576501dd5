"""The browser logins that the database holds: whose they are stands inside of them."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as Login

from resolutionflow.accounts.scoping import CHOSEN_ACCOUNT


def _logins() -> Iterator[tuple[Login, dict[str, Any]]]:
    for login in Login.objects.iterator(chunk_size=1000):
        yield login, login.get_decoded()  # {} of one that was signed with another key


def logins_of(user_ids: Collection[UUID]) -> list[str]:
    """The keys of these people's logins, those that ended by time included."""
    wanted = {str(id) for id in user_ids}
    return [login.session_key for login, data in _logins() if data.get(SESSION_KEY) in wanted]


def end_logins(user_ids: Collection[UUID]) -> int:
    """Signs these people out everywhere and forgets that they were signed in. Returns how many logins that were."""
    deleted, _ = Login.objects.filter(session_key__in=logins_of(user_ids)).delete()
    return deleted


def forget_choice(account_id: UUID) -> None:
    """No super admin has this account open any more."""
    for login, data in _logins():
        if data.get(CHOSEN_ACCOUNT) == str(account_id):
            del data[CHOSEN_ACCOUNT]
            login.session_data = SessionStore().encode(data)
            login.save(update_fields=["session_data"])
