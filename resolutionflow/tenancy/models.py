"""The base classes of every table that belongs to an account."""

from collections.abc import Collection, Iterable
from typing import Any, Self, cast
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models.sql.where import AND, WhereNode
from uuid6 import uuid7

from resolutionflow.tenancy.scope import NoAccountInScope, current_account_id


class TenantQuerySet(models.QuerySet):
    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        rows = list(objs)
        for row in rows:
            row.take_account_from_scope()
        return super().bulk_create(rows, *args, **kwargs)

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def update(self, **kwargs: Any) -> int:
        if {"account", "account_id"} & kwargs.keys():
            raise ValueError("The account of a row never changes.")
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]


class TenantManager(models.Manager):
    """Filters by the account in scope. It is the base manager too: lazy relations, prefetch and cascades keep to it."""

    _queryset_class = TenantQuerySet

    def get_queryset(self) -> models.QuerySet:
        account_id = current_account_id()
        rows = super().get_queryset()
        return rows if account_id is None else rows.filter(account_id=account_id)


class TenantModel(models.Model):
    """A row of one account.

    Django knows `id` as the primary key; the database has (id, account_id), see `schema`. The id is made in Python and
    the account never changes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        "resolutionflow.Account", models.PROTECT, related_name="+", editable=False, db_index=False
    )

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.take_account_from_scope()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.take_account_from_scope()
        return super().delete(*args, **kwargs)

    def full_clean(self, *args: Any, **kwargs: Any) -> None:
        self.take_account_from_scope()  # constraints led by the account are checked against it
        super().full_clean(*args, **kwargs)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        # No form has the account, and Django leaves out the constraints of fields that a form does not have.
        super().validate_constraints(set(exclude or ()) - {"account"})

    def take_account_from_scope(self) -> None:
        """Sets a missing account; raises NoAccountInScope when the row belongs to another one than that in scope."""
        scope, mine = current_account_id(), cast(UUID | None, self.account_id)
        if mine is None:
            if scope is None:
                raise NoAccountInScope("Name the account of a row that is written inside cross_account().")
            self.account_id = scope
        elif scope is not None and mine != scope:
            raise NoAccountInScope("The row belongs to another account than the one in scope.")

    def _do_update(self, base_qs: models.QuerySet[Self], *args: Any) -> Any:
        # Django's own hook builds the UPDATE from the id alone; *args, because Django versions differ in what follows.
        return super()._do_update(base_qs.filter(account_id=self.account_id), *args)


class TenantRelation:
    """From a tenant row to a tenant row of the same account.

    Django makes no constraint; `schema` adds FOREIGN KEY (account_id, x_id) REFERENCES t (account_id, id). Joins and
    lazy access carry account_id. Indexes are declared with the model, led by account.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(*args, **kwargs)

    def get_extra_restriction(self, alias: str | None, related_alias: str | None) -> WhereNode | None:
        here = self.model._meta.get_field("account")  # type: ignore[attr-defined]
        there = self.related_model._meta.get_field("account")  # type: ignore[attr-defined]
        if alias and related_alias:
            lookup = here.get_lookup("exact")(here.get_col(related_alias), there.get_col(alias))
        elif related_alias and (account_id := current_account_id()) is not None:
            # exclude() over a relation trims the first join and leaves one side only
            lookup = here.get_lookup("exact")(here.get_col(related_alias), account_id)
        else:
            return None
        return WhereNode([lookup], AND)

    def get_extra_descriptor_filter(self, instance: Any) -> dict[str, Any]:
        return {"account_id": instance.account_id}


class TenantForeignKey(TenantRelation, models.ForeignKey):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_index"] = False
        super().__init__(*args, **kwargs)


class TenantOneToOneField(TenantRelation, models.OneToOneField):
    pass


class OwnerForeignKey(models.ForeignKey):
    """Whose row it is: a user of the row's own account, kept by FOREIGN KEY (account_id, user_id) in `schema`.

    Who merely did something (published_by, reviewed_by) is a plain ForeignKey: a super admin has no account.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs["db_index"] = False
        kwargs.setdefault("to", settings.AUTH_USER_MODEL)
        kwargs.setdefault("on_delete", models.PROTECT)
        kwargs.setdefault("related_name", "+")
        super().__init__(*args, **kwargs)
