"""What every admin of a tenant table is derived from."""

from typing import Any, cast

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from resolutionflow.accounts.models import AuditEntry, User
from resolutionflow.administration.forms import WholeRowForm
from resolutionflow.tenancy.models import TenantModel


class TenantAdmin(ModelAdmin):
    """Rows of the account in scope. Lists, choices and delete previews keep to it through the managers; an id of
    another account is 404. Read-only where `facts` is set: what figures count is not edited by hand."""

    facts = False
    form = WholeRowForm

    def has_module_permission(self, request: HttpRequest) -> bool:
        return getattr(request, "account", None) is not None and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: TenantModel | None = None) -> bool:
        return getattr(request, "account", None) is not None and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return (
            not self.facts
            and getattr(request, "account", None) is not None
            and super().has_add_permission(request)
        )

    def has_change_permission(self, request: HttpRequest, obj: TenantModel | None = None) -> bool:
        return (
            not self.facts
            and self.has_view_permission(request)
            and super().has_change_permission(request, obj)
        )

    def has_delete_permission(self, request: HttpRequest, obj: TenantModel | None = None) -> bool:
        return (
            not self.facts
            and self.has_view_permission(request)
            and super().has_delete_permission(request, obj)
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if getattr(request, "account", None) is None:
            raise Http404("Choose an account first")
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404("No such row in this account")
        return found

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        """To the account's audit trail. Django's own log does not know whose a row was that is no longer there."""
        for row in queryset:
            AuditEntry.record(
                f"{self.opts.model_name}.deleted",
                actor=cast(User, request.user),
                account=row.account,
                object=str(row),
            )
        return []
