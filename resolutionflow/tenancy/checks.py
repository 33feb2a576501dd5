"""System checks: a model that breaks a rule of tenancy stops the start."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error
from django.db import models

from resolutionflow.tenancy.models import (
    OwnerForeignKey,
    TenantManager,
    TenantModel,
    TenantRelation,
)

REFERENCE_TABLES = {"resolutionflow.Account", "resolutionflow.User"}


def tenant_rules(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Keys led by account, relations that carry it, no relation between tenant and framework tables."""
    return [fault for model in apps.get_models(include_auto_created=True) for fault in _faults(model)]


def _faults(model: type[models.Model]) -> Iterator[CheckMessage]:
    tenant = issubclass(model, TenantModel)
    for field in model._meta.local_fields:
        target = field.related_model
        if not isinstance(target, type) or not issubclass(target, models.Model):
            if tenant and field.unique and not field.primary_key:
                yield Error(
                    f"{field} is unique over all accounts.", hint="Use a UniqueConstraint.", id="tenancy.E001"
                )
            continue
        if issubclass(target, TenantModel) and not tenant:
            yield Error(f"{field} points from outside into a tenant table.", obj=model, id="tenancy.E002")
        if tenant and issubclass(target, TenantModel) and not isinstance(field, TenantRelation):
            yield Error(
                f"{field} has to be a TenantForeignKey or TenantOneToOneField.", obj=model, id="tenancy.E003"
            )
        if tenant and not issubclass(target, TenantModel) and target._meta.label not in REFERENCE_TABLES:
            yield Error(
                f"{field} points from a tenant table to a framework table.", obj=model, id="tenancy.E004"
            )
        if tenant and field.name == "user" and not isinstance(field, OwnerForeignKey):
            yield Error(
                f"{field} says whose the row is: use an OwnerForeignKey.", obj=model, id="tenancy.E005"
            )
    if not tenant:
        return
    if not isinstance(model._base_manager, TenantManager) or not isinstance(
        model._default_manager, TenantManager
    ):
        yield Error(
            f"{model._meta.label} has a manager that ignores the scope.", obj=model, id="tenancy.E009"
        )
    if model._meta.local_many_to_many:
        yield Error(
            f"{model._meta.label} has a many-to-many: make it a tenant model.", obj=model, id="tenancy.E006"
        )
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and _first_column(constraint) != "account":
            yield Error(f"{constraint.name} has to be led by account.", obj=model, id="tenancy.E007")
    for index in model._meta.indexes:
        if _first_column(index) != "account":
            yield Error(f"{index.name} has to be led by account.", obj=model, id="tenancy.E008")


def _first_column(key: models.UniqueConstraint | models.Index) -> str:
    if key.fields:
        return key.fields[0].lstrip("-")
    first = key.expressions[0]
    return first.name if isinstance(first, models.F) else ""
