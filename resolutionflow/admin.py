"""Accounts, users, tokens, the audit trail and jobs in the back office. They are there without an account in scope."""

from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from resolutionflow.administration.forms import WholeRowForm
from resolutionflow.models import Account, ApiToken, AuditEntry, JobFailure, User


class KeptAdmin(admin.ModelAdmin):
    """Nothing is deleted here: accounts go by `delete_account`, users are deactivated, tokens revoked."""

    form = WholeRowForm

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # A list that is filtered by the beginning of a hash tells it letter by letter.
        return not lookup.startswith(("password", "hash")) and super().lookup_allowed(lookup, value, request)


class ReadOnlyAdmin(KeptAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(KeptAdmin):
    list_display = ("name", "slug", "time_zone", "created_at")
    search_fields = ("name", "slug")
    fields = (
        *("name", "slug", "time_zone", "language", "idle_limit"),
        *("guided_threshold", "exploring_threshold", "names_hidden", "language_model_allowed"),
    )


class UserForm(WholeRowForm):
    """Keeps one super admin: without any, nobody could open the back office again."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.instance.pk and not (data.get("is_superuser") and data.get("is_active")):
            # held until the row is saved, so that two do not give it up at the same moment
            able = User.objects.select_for_update(no_key=True).filter(is_superuser=True, is_active=True)
            if {user.pk for user in able} == {self.instance.pk}:
                raise ValidationError("This is the last active super admin. Make somebody else one first.")
        return data


@admin.register(User)
class UserAdmin(KeptAdmin):
    form = UserForm
    list_display = ("name", "email", "account", "role_label", "is_active")
    ordering = ("name", "email")
    list_filter = ("role", "is_superuser", "is_active", "account")
    list_select_related = ("account",)
    search_fields = ("name", "email")
    fields = ("email", "name", "account", "role", "is_superuser", "is_active", "weekly_digest")
    audited = ("role", "is_superuser", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("account",) if obj else ()  # a user's account never changes

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        if not change:
            obj.set_unusable_password()  # they set their own by "Forgot your password?"
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data and not obj.is_active:
            obj.deactivate(at=timezone.now())
        changed = {name: getattr(obj, name) for name in self.audited if name in form.changed_data}
        if changed or not change:
            action = "user.changed" if change else "user.created"
            AuditEntry.record(
                action, actor=cast(User, request.user), account=obj.account, object=obj.email, **changed
            )


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("label", "user", "created_at", "revoked_at")
    list_select_related = ("user",)
    fields = ("label", "user", "created_at", "revoked_at")
    search_fields = ("label", "user__email")
    actions = ("revoke",)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        for token in tokens.filter(revoked_at=None).select_related("user__account"):
            token.revoke(at=timezone.now())
            AuditEntry.record(
                "token.revoked",
                actor=cast(User, request.user),
                account=token.user.account,
                object=token.user.email,
                label=token.label,
            )


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "account", "actor", "action", "object")
    list_filter = ("action", "account")
    list_select_related = ("account", "actor")
    date_hierarchy = "at"


admin.site.unregister(ProcrastinateJob)  # what comes with the queue changes jobs without an audit entry


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("id", "task_name", "status", "attempts", "scheduled_at")
    list_filter = ("status", "task_name")
    ordering = ("-id",)
    fields = ("task_name", "args", "status", "attempts", "scheduled_at", "lock")


@admin.register(JobFailure)
class JobFailureAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "job_id", "attempt", "error")
    list_filter = ("kind",)
    ordering = ("-at",)
