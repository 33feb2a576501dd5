"""What one person may change of another's rights: role, writing flows, deactivation, return.

Each act holds the account while it looks and writes. So of two team admins who demote each other at the same moment one
wins, and an account never loses its last one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import PermissionDenied
from django.db import transaction

from resolutionflow.accounts.models import Account, AuditEntry, Role, User


class NotAllowed(Exception):
    """Nothing was changed; the text says why, for the person who tried."""


def change_role(person: User, role: Role, *, by: User) -> None:
    with _held(person, by) as held:
        if held.role == role:
            return
        if role != Role.TEAM_ADMIN:
            refuse_the_last(held)
        before, held.role = held.role, role
        held.save(update_fields=["role"])
        AuditEntry.record(
            "user.role_changed", actor=by, account=held.account, object=held.email, old=before, new=role
        )


def change_authoring(person: User, can_author: bool, *, by: User) -> None:
    """Whether an engineer may write flows; kept, and without effect, while the person is a team admin."""
    with _held(person, by) as held:
        if held.can_author == can_author:
            return
        held.can_author = can_author
        held.save(update_fields=["can_author"])
        AuditEntry.record(
            "user.authoring_changed",
            actor=by,
            account=held.account,
            object=held.email,
            old=not can_author,
            new=can_author,
        )


def deactivate(person: User, *, by: User, at: datetime) -> None:
    """Out at once: every login and token of the person ends. Their sessions stay as they are."""
    with _held(person, by) as held:
        if held.is_active:
            refuse_the_last(held)
            held.deactivate(at)
            AuditEntry.record("user.deactivated", actor=by, account=held.account, object=held.email)


def reactivate(person: User, *, by: User, at: datetime) -> bool:
    """Lets the person come back with a new password, set by mail; False if they were active already."""
    with _held(person, by) as held:
        if held.is_active:
            return False
        held.is_active, held.invited_at = True, at
        held.set_unusable_password()
        held.save(update_fields=["is_active", "invited_at", "password"])
        AuditEntry.record("user.reactivated", actor=by, account=held.account, object=held.email)
    return True


def why_not(person: User, by: User) -> str:
    """Why `by` can change nothing of the person; "" if they can."""
    if person.pk == by.pk:
        return "This is you. Another team admin can change your role or deactivate you."
    if person.is_superuser:
        return "A super admin is changed in the back office."
    if person.is_anonymised:
        return "This person is anonymised and does not come back."
    return ""


@contextmanager
def _held(person: User, by: User) -> Iterator[User]:
    """The person as they are now, in a transaction that nobody else changes rights of the account in."""
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(users=person)
        people = User.objects.select_related("account").in_bulk([person.pk, by.pk])
        if not (people[by.pk].is_active and people[by.pk].leads_team):
            raise PermissionDenied("Your role has just been changed.")
        if reason := why_not(people[person.pk], by):
            raise NotAllowed(reason)
        yield people[person.pk]


def refuse_the_last(person: User) -> None:
    """Raises NotAllowed. Who was invited only, or imported, cannot sign in and is no help."""
    leads = User.objects.filter(
        account=person.account, role=Role.TEAM_ADMIN, is_active=True, is_superuser=False
    ).exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    others = leads.exclude(pk=person.pk)
    if leads.filter(pk=person.pk).exists() and not others.exists():
        raise NotAllowed(
            f"{person.name} is the last team admin who can sign in. Make somebody else a team admin first."
        )
