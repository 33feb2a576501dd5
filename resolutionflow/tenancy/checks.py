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
    return [fault for model in apps.get_models(include_auto_created=True) for fault in faults_of(model)]


def faults_of(model: type[models.Model]) -> Iterator[CheckMessage]:
    if not issubclass(model, TenantModel):
        for field in model._meta.local_fields:
            if _is_tenant(field.related_model):
                yield _error(2, f"{field} points from outside into a tenant table.")
        return
    for field in model._meta.local_fields:
        yield from _field_faults(field)
    if model._meta.local_many_to_many:
        yield _error(6, f"{model._meta.label} has a many-to-many: make it a tenant model.")
    managers = [model._base_manager, *model._meta.managers]
    if not all(isinstance(manager, TenantManager) for manager in managers):
        yield _error(9, f"{model._meta.label} has a manager that ignores the scope.")
    if model._meta.unique_together:
        yield _error(7, f"{model._meta.label} has unique_together. Use a UniqueConstraint led by account.")
    uniques = [key for key in model._meta.constraints if isinstance(key, models.UniqueConstraint)]
    for key in [*uniques, *model._meta.indexes]:
        if _first_column(key) != "account":
            yield _error(7, f"{key.name} has to be led by account.")


def _field_faults(field: models.Field) -> Iterator[CheckMessage]:
    target: Any = field.related_model
    if target is None:
        if field.unique and not field.primary_key:
            yield _error(1, f"{field} is unique over all accounts. Use a UniqueConstraint.")
    elif _is_tenant(target):
        if not isinstance(field, TenantRelation):
            yield _error(3, f"{field} has to be a TenantForeignKey or TenantOneToOneField.")
    elif target._meta.label not in REFERENCE_TABLES:
        yield _error(4, f"{field} points from a tenant table to a framework table.")
    elif field.name == "user" and not isinstance(field, OwnerForeignKey):
        yield _error(5, f"{field} says whose the row is: use an OwnerForeignKey.")


def _is_tenant(target: Any) -> bool:
    return isinstance(target, type) and issubclass(target, TenantModel)


def _error(number: int, words: str) -> Error:
    return Error(words, id=f"tenancy.E{number:03}")


def _first_column(key: models.UniqueConstraint | models.Index) -> str:
    if key.fields:
        return key.fields[0].lstrip("-")
    first: Any = key.expressions[0]
    return str(getattr(first, "name", ""))  # of an F(); any other expression has no name
