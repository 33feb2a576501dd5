"""A leaver's name and email gone from where the product keeps them. What engineers wrote in sessions is not touched."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Q

from operations.logins import end_logins, logins_of
from resolutionflow.accounts.models import ANONYMISED_HOST, Account, ApiToken, AuditEntry, Role, User
from resolutionflow.accounts.rights import NotAllowed, refuse_the_last

LABEL = "anonymised"  # of the tokens
Rewrite = Callable[[str], str]


class Kept(Exception):
    """This person cannot be anonymised; the sentence is for the operator."""


@dataclass(frozen=True)
class Plan:
    """What becomes of a person. `namesake`: a colleague bears the same name, which therefore stays in other texts."""

    name: str
    email: str
    was_active: bool
    namesake: bool
    tokens: int
    logins: int
    texts: int


@transaction.atomic
def anonymise(email: str, *, at: datetime, apply: bool) -> Plan:
    """Makes name and email "Former engineer N" and deactivates; without `apply` says what would become of the person.

    Raises Kept, and User.DoesNotExist.
    """
    user = User.objects.get(email=email)
    if user.account is None:
        raise Kept(f"{user.email} is a super admin without an account and cannot be anonymised.")
    account = Account.objects.select_for_update(no_key=True).get(id=user.account.id)  # one number at a time
    user = User.objects.select_for_update().get(id=user.id)
    try:
        refuse_the_last(user)
    except NotAllowed as error:
        raise Kept(str(error)) from None
    number = _next_number(account)
    name, address = (
        f"Former engineer {number}",
        f"former-engineer-{number}.{account.slug.lower()}@{ANONYMISED_HOST}",
    )
    namesake = User.objects.filter(account=account, name=user.name).exclude(id=user.id).exists()
    texts = _rewrite_audit(user, name, address, namesake=namesake, apply=apply)
    texts += _rewrite_log(user, name, address, apply=apply)
    plan = Plan(
        name=name,
        email=address,
        was_active=user.is_active,
        namesake=namesake,
        tokens=user.api_tokens.count(),
        logins=len(logins_of([user.id])),
        texts=texts,
    )
    if apply:
        _forget(user, name, address, at)
    return plan


def _forget(user: User, name: str, email: str, at: datetime) -> None:
    user.deactivate(at=at)
    user.name, user.email = name, email
    user.is_superuser = user.weekly_digest = False
    user.save(update_fields=["name", "email", "is_superuser", "weekly_digest"])
    user.api_tokens.update(label=LABEL)
    EmailAddress.objects.filter(user=user).delete()
    end_logins([user.id])
    AuditEntry.record("user.anonymised", actor=None, account=user.account, object=email)


def _next_number(account: Account) -> int:
    """Free in the account's names, and in the addresses of all accounts: a slug may once have been another one's."""
    stem = f".{account.slug.lower()}@{ANONYMISED_HOST}"
    taken = [
        *User.objects.filter(account=account, name__regex=r"^Former engineer \d{1,9}$").values_list(
            "name", flat=True
        ),
        *(
            email.removesuffix(stem).replace("former-engineer-", "Former engineer ")
            for email in User.objects.filter(email__endswith=stem).values_list("email", flat=True)
        ),
    ]
    numbers = [int(found[1]) for text in taken if (found := re.fullmatch(r"Former engineer (\d{1,9})", text))]
    return max(numbers, default=0) + 1


def _rewriter(old_to_new: dict[str, str]) -> Rewrite:
    """Puts new words in place of old ones where these stand whole: neither within a word nor within another address."""
    pairs = sorted(old_to_new.items(), key=lambda pair: -len(pair[0]))
    found = "|".join(f"({re.escape(old)})" for old, _ in pairs)
    pattern = re.compile(rf"(?<![\w@.+-])(?:{found})(?![\w@]|[.+-]\w)", re.IGNORECASE)
    return lambda text: pattern.sub(lambda match: pairs[(match.lastindex or 1) - 1][1], text)


def _rewrite_audit(user: User, name: str, email: str, *, namesake: bool, apply: bool) -> int:
    """The name only where it can be this person's: in the own account, and in what they did themselves."""
    anywhere = _rewriter({user.email: email})
    here = anywhere if namesake else _rewriter({user.email: email, user.name: name})
    labels = dict.fromkeys(user.api_tokens.values_list("label", flat=True), LABEL)
    changed = 0
    own = Q(account=user.account) | Q(account=None) | Q(actor=user)
    for entry in AuditEntry.objects.filter(own).iterator(chunk_size=1000):
        rewrite = here if entry.account_id == user.account_id or entry.actor_id == user.id else anywhere
        of_tokens = labels if entry.object == user.email and entry.action.startswith("token.") else {}
        before = entry.object, entry.detail
        entry.object, entry.detail = rewrite(entry.object)[:200], _in_json(entry.detail, rewrite, of_tokens)
        if (
            entry.actor_id == user.id
            and not user.is_superuser
            and entry.action.startswith(("token.", "password."))
        ):
            entry.object = email  # the address of that day, which may have been another one
        if before != (entry.object, entry.detail):
            changed += 1
            if apply:
                entry.save(update_fields=["object", "detail"])
    return changed


def _in_json(value: Any, rewrite: Rewrite, of_tokens: dict[str, str]) -> Any:
    if isinstance(value, str):  # "engineer" is a role, and may be somebody's name
        return value if value in Role.values else of_tokens.get(value) or rewrite(value)
    if isinstance(value, list):
        return [_in_json(item, rewrite, of_tokens) for item in value]
    if isinstance(value, dict):
        return {key: _in_json(item, rewrite, of_tokens) for key, item in value.items()}
    return value


def _rewrite_log(user: User, name: str, email: str, *, apply: bool) -> int:
    """The back office log: entries about the person and their tokens, and the address wherever it stands."""
    rewrite = _rewriter({user.email: email})
    tokens = {str(id) for id in user.api_tokens.values_list("id", flat=True)}
    changed = 0
    for entry in LogEntry.objects.select_related("content_type").iterator(chunk_size=1000):
        model = entry.content_type.model_class() if entry.content_type else None
        before = entry.object_repr, entry.change_message
        if model is User and entry.object_id == str(user.id):
            entry.object_repr = name
        elif model is ApiToken and entry.object_id in tokens:
            entry.object_repr = LABEL
        entry.object_repr = rewrite(entry.object_repr)[:200]
        entry.change_message = rewrite(entry.change_message)
        if before != (entry.object_repr, entry.change_message):
            changed += 1
            if apply:
                entry.save(update_fields=["object_repr", "change_message"])
    return changed
