"""Everything of one account gone."""

from django.db import connection, transaction

from resolutionflow.accounts.models import Account, ApiToken, AuditEntry
from resolutionflow.tenancy import account_scope
from resolutionflow.tenancy.schema import tenant_models


@transaction.atomic
def remove_account(account: Account) -> None:
    """Deletes the account, its users and all its rows in one transaction; there is no way back."""
    with account_scope(account), connection.cursor() as cursor:
        # Rows go table by table, not object by object, and the keys between them are checked when all are gone.
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for model in tenant_models():
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"DELETE FROM {table} WHERE account_id = %s", [account.id])  # noqa: S608 - a table's name
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        ApiToken.objects.filter(user__account=account).delete()
        AuditEntry.objects.filter(account=account).delete()
        account.users.all().delete()
        account.delete()
