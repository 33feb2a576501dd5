"""Django admin, each request inside the scope of one account."""

from contextlib import nullcontext
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse

from resolutionflow.accounts.models import Account
from resolutionflow.accounts.scoping import account_of
from resolutionflow.folding import by_name
from resolutionflow.tenancy import account_scope


class ScopedAdminSite(AdminSite):
    """A super admin picks the account in the header; without a choice only what belongs to no account is offered. A
    team admin is in the own account, and offered its proposals alone."""

    site_header = "ResolutionFlow"
    site_title = "ResolutionFlow admin"
    index_title = "Back office"

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        @wraps(view)
        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            account = account_of(request)
            request.account = account  # type: ignore[attr-defined]
            try:
                with account_scope(account) if account else nullcontext():
                    response: HttpResponse = view(request, *args, **kwargs)
                    if isinstance(response, TemplateResponse):
                        response.render()  # lazily rendered it would ask for rows when the scope is over
                    return response
            except (ValueError, OverflowError, DataError) as error:
                if request.method != "GET":
                    raise
                # Django's own filters hand any text of the address on to the database.
                raise BadRequest("This address cannot be understood.") from error

        for_staff = super().admin_view(scoped, cacheable)

        @wraps(for_staff)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # Django would send them to the sign-in page, which sends who is signed in back here, for ever.
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied(
                    "The back office is for super admins; team admins review proposals there."
                )
            return for_staff(request, *args, **kwargs)

        return wrapper

    def get_urls(self) -> list[Any]:
        # "View on site" would look up any row by its content type, and no page here offers it.
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        back = request.GET.get("next") or resolve_url("admin:index")
        return redirect(f"{resolve_url('account_login')}?{urlencode({'next': back})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {
            "open_account": getattr(request, "account", None),
            "all_accounts": Account.objects.order_by(*by_name()) if _may_choose(request) else None,
        }


def _may_choose(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
