from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from flowpilot.psa import sealing
from flowpilot.psa.models import PsaConnection
from resolutionflow.management.refusing import Refused, needs_database
from resolutionflow.tenancy import account_scope, cross_account


class Command(BaseCommand):
    help = (
        "Seals the keys of all connections to ticket systems with the first of PSA_KEYS, so that the others can go. "
        "May be run again at any time. Exit status: 0 done, 2 some cannot be opened, which stay as they are."
    )

    @needs_database()
    def handle(self, *args: Any, **options: Any) -> None:
        with cross_account():
            sealed = PsaConnection.objects.exclude(credentials="").order_by("account__slug", "provider")
            found = list(sealed.values_list("account_id", "account__slug", "id"))
        anew, unreadable = 0, []
        for account_id, slug, connection_id in found:
            with account_scope(account_id), transaction.atomic():
                connection = (
                    PsaConnection.objects.select_for_update(no_key=True).filter(id=connection_id).first()
                )
                if connection is None or not connection.credentials:
                    continue  # removed meanwhile
                try:
                    credentials = sealing.sealed_anew(connection.credentials)
                except sealing.NoKey as error:
                    raise Refused(str(error)) from None
                except sealing.CannotOpen:
                    unreadable.append(f"{slug} ({connection})")
                    continue
                if credentials is not None:
                    connection.credentials = credentials
                    connection.save(update_fields=["credentials"])
                    anew += 1
        self.stdout.write(
            f"Sealed with the first key: {anew:,} anew, {len(found) - anew - len(unreadable):,} already."
        )
        if unreadable:
            raise Refused(
                f"None of PSA_KEYS opens those of {', '.join(unreadable)}: enter them again in the settings."
            )
