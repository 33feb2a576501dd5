"""Secrets at rest: sealed with keys that stand in the environment, never in the database.

`PSA_KEYS` lists Fernet keys. The first seals, all of them open, so a key is replaced by putting a new one before it;
`manage.py reseal_psa_keys` then seals what is stored with the new one, and the old one can go.
Without a key nothing is sealed, and nothing is kept in the clear instead.
"""

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

UNREADABLE = (
    "The keys of this connection cannot be read with the keys of this installation. Enter them again."
)


class NoKey(Exception):
    """There is no key to seal with. The sentence is for people."""


class CannotOpen(Exception):
    """None of the keys opens it, or nothing was sealed. The sentence is for people."""


def can_seal() -> bool:
    """Whether secrets can be kept; if not, settings say so in place of their fields."""
    return bool(settings.PSA_KEYS)


def key_faults() -> list[int]:
    """The places in PSA_KEYS, from 1, of what is no Fernet key. The keys themselves are named nowhere."""
    return [number for number, key in enumerate(settings.PSA_KEYS, start=1) if not _is_key(key)]


def _is_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


@sensitive_variables()
def seal(secrets: Mapping[str, str]) -> str:
    """Raises NoKey."""
    return _keys().encrypt(json.dumps(dict(secrets)).encode()).decode("ascii")


@sensitive_variables()
def open_sealed(sealed: str) -> dict[str, str]:
    """What was sealed. Raises CannotOpen."""
    try:
        opened: dict[str, str] = json.loads(_keys().decrypt(sealed))
    except (NoKey, InvalidToken):
        raise CannotOpen(UNREADABLE) from None
    return opened


@sensitive_variables()
def sealed_anew(sealed: str) -> str | None:
    """The same, sealed with the first key; None where it is already. Raises CannotOpen, and NoKey."""
    keys = _keys()
    try:
        Fernet(settings.PSA_KEYS[0]).decrypt(sealed)
        return None
    except InvalidToken:
        pass
    try:
        return keys.rotate(sealed).decode("ascii")
    except InvalidToken:
        raise CannotOpen(UNREADABLE) from None


@sensitive_variables()
def _keys() -> MultiFernet:
    if not can_seal() or key_faults():
        raise NoKey("This installation has no key to keep secrets with: its operator sets PSA_KEYS.")
    return MultiFernet([Fernet(key) for key in settings.PSA_KEYS])
