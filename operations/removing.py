"""Everything of one account gone."""

from collections.abc import Iterator

from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.db.models import QuerySet

from operations.logins import end_logins, forget_choice, logins_of
from resolutionflow.accounts.models import Account, ApiToken, AuditEntry, User
from resolutionflow.jobs.models import JobFailure
from resolutionflow.tenancy import account_scope, cross_account
from resolutionflow.tenancy.schema import tenant_models

IDS_AT_ONCE = 1000


def rows_of(account: Account) -> dict[str, int]:
    """How many rows `remove_account` would delete, by what they are called; tables without any are left out."""
    users = list(account.users.values_list("id", flat=True))
    with account_scope(account):
        counts = {str(model._meta.verbose_name_plural): model.objects.count() for model in tenant_models()}
        counts["back office log entries"] = sum(entries.count() for entries in _log_entries(account))
    counts |= {
        "users": len(users),
        "API tokens": ApiToken.objects.filter(user__account=account).count(),
        "sign-in addresses": EmailAddress.objects.filter(user__account=account).count(),
        "logins": len(logins_of(users)),
        "audit entries": AuditEntry.objects.filter(account=account).count(),
    }
    return {name: count for name, count in counts.items() if count}


@transaction.atomic
def remove_account(account: Account) -> None:
    """Deletes the account, its users and all its rows in one transaction; there is no way back.

    What is written into the account meanwhile waits, and fails when the account is gone.
    """
    Account.objects.select_for_update().get(id=account.id)
    users = list(account.users.select_for_update().order_by("id").values_list("id", flat=True))
    with account_scope(account):
        for entries in _log_entries(account):  # asks the rows, so before they go
            entries.delete()
        _delete_rows(account)
    _delete_jobs(account)
    end_logins(users)
    forget_choice(account.id)
    ApiToken.objects.filter(user__in=users).delete()
    EmailAddress.objects.filter(user__in=users).delete()
    LogEntry.objects.filter(user__in=users).delete()
    AuditEntry.objects.filter(account=account).delete()
    _forget_who_did_it(users)
    with account_scope(account):  # Django looks whether any row still refers to them
        account.users.all().delete()
        Account.objects.filter(id=account.id).delete()
    AuditEntry.record("account.deleted", actor=None, account=None, object=account.slug)


def _delete_rows(account: Account) -> None:
    with connection.cursor() as cursor:
        # Rows go table by table, not object by object, and the keys between them are checked when all are gone.
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for model in tenant_models():
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"DELETE FROM {table} WHERE account_id = %s", [account.id])  # noqa: S608 - a table's name
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _delete_jobs(account: Account) -> None:
    """What is queued or was done for the account. A job that runs just now ends by finding no account."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE args ->> 'account_id' = %s AND status <> 'doing' RETURNING id",
            [str(account.id)],
        )
        JobFailure.objects.filter(job_id__in=[id for (id,) in cursor.fetchall()]).delete()


def _log_entries(account: Account) -> Iterator[QuerySet[LogEntry]]:
    """What the back office logged by and about users, tokens and rows of the account in scope."""
    yield LogEntry.objects.filter(user__account=account)
    own: list[type[models.Model]] = [Account, User, ApiToken, AuditEntry, *tenant_models()]
    for model in own:
        entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model)).exclude(
            user__account=account
        )
        # No join between a tenant table and one of the framework: ids go from one to the other.
        named = list(entries.values_list("object_id", flat=True).distinct())
        for start in range(0, len(named), IDS_AT_ONCE):
            there = _of_account(model, account).filter(pk__in=named[start : start + IDS_AT_ONCE])
            yield entries.filter(object_id__in=[str(id) for id in there.values_list("pk", flat=True)])


def _of_account(model: type[models.Model], account: Account) -> QuerySet:
    rows = model._default_manager.all()
    if model is Account:
        return rows.filter(pk=account.pk)
    return rows.filter(user__account=account) if model is ApiToken else rows.filter(account=account)


def _forget_who_did_it(users: list) -> None:
    """A super admin of this account may have published or opened something in another one: that stays, without name."""
    with cross_account():
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                if field.related_model is User and field.null:
                    model._default_manager.filter(**{f"{field.name}__in": users}).update(**{field.name: None})
