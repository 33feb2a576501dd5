"""Django's PostgreSQL backend, told what composite keys change, and able to start the embedded database."""

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base, features, operations


class DatabaseFeatures(features.DatabaseFeatures):
    # The key is (id, account_id): GROUP BY id alone does not determine the other columns.
    allows_group_by_selected_pks = False


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "resolutionflow.tenancy.backend.compiler"

    def deferrable_sql(self) -> str:
        # Immediate: a violated key is reported by the statement that violates it, not at COMMIT.
        return " DEFERRABLE INITIALLY IMMEDIATE"


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        embedded = settings.EMBEDDED_DATABASE
        if embedded is not None and embedded.autostart:
            embedded.ensure_running()
        return super().get_new_connection(conn_params)
