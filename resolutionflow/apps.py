from typing import Any

from django.apps import AppConfig
from django.core.checks import register
from django.db import connections
from django.db.models.signals import post_migrate


def keep_tenant_schema(using: str, **kwargs: Any) -> None:
    """Runs once a migrate, after the migrations of all apps."""
    from resolutionflow.tenancy.schema import keep_schema

    keep_schema(connections[using])


class ResolutionFlowConfig(AppConfig):
    name = "resolutionflow"
    verbose_name = "ResolutionFlow"

    def ready(self) -> None:
        from resolutionflow.checks import base_url_names_a_host
        from resolutionflow.tenancy.checks import tenant_rules

        register(tenant_rules)
        register(base_url_names_a_host, deploy=True)
        post_migrate.connect(keep_tenant_schema, sender=self)
