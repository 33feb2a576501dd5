"""The door to an account's pages: signed in, allowed, and with the account in scope."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from resolutionflow.accounts.models import Account, User
from resolutionflow.tenancy import account_scope

CHOSEN_ACCOUNT = "chosen_account"  # the key in a super admin's login
NOT_AN_AUTHOR = (
    "You may run flows but not write them. A team admin can allow it in Settings, Users and roles."
)

View = Callable[..., HttpResponseBase]


class AccountRequest(HttpRequest):
    """What a view behind `account_required` may rely on. `now` is taken once per request."""

    user: User
    account: Account
    now: datetime
    htmx: HtmxDetails


def account_of(request: HttpRequest) -> Account | None:
    """The user's own account; of a super admin the one they picked, else the own one, else None."""
    user = cast(User, request.user)
    chosen = request.session.get(CHOSEN_ACCOUNT) if user.is_superuser else None
    if chosen:
        return Account.objects.filter(id=chosen).first() or user.account
    return user.account


def signed_in(view: View) -> View:
    """For pages of a person, not of an account. Anonymous visitors go to the sign-in page and come back."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        back = request.headers.get("HX-Current-URL") or request.get_full_path()
        target = f"{resolve_url('account_login')}?{urlencode({'next': back})}"
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(target)
        return redirect(target)

    wrapper.signed_in = True  # type: ignore[attr-defined]
    return wrapper


def account_required(view: View) -> View:
    """Puts the account in scope as `request.account`; a super admin without one is sent to pick it."""

    @signed_in
    @wraps(view)
    def wrapper(request: AccountRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        account = account_of(request)
        if account is None:
            back = request.get_full_path() if request.method == "GET" else "/"
            target = f"{resolve_url('choose_account')}?{urlencode({'next': back})}"
            return (
                HttpResponseClientRedirect(target) if request.headers.get("HX-Request") else redirect(target)
            )
        request.account, request.now = account, timezone.now()
        with account_scope(account):
            return view(request, *args, **kwargs)

    wrapper.account_scoped = True  # type: ignore[attr-defined]
    return wrapper


def team_required(message: str, *, instead: tuple[str, str] | None = None) -> Callable[[View], View]:
    """For team admins and super admins; everybody else gets 403 with the message.

    instead: the words of a link and the name of its route, for where they may go.
    """

    def decorate(view: View) -> View:
        @account_required
        @wraps(view)
        def wrapper(request: AccountRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.leads_team:
                return refused(request, message, instead)
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


def authors_required(view: View) -> View:
    """For who may write flows: team admins, super admins, and the engineers whom a team admin allowed it."""

    @account_required
    @wraps(view)
    def wrapper(request: AccountRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.writes_flows:
            return refused(request, NOT_AN_AUTHOR, ("Open the library", "flows:list"))
        return view(request, *args, **kwargs)

    return wrapper


def own_sessions_required(message: str, *, instead: tuple[str, str] | None = None) -> Callable[[View], View]:
    """For whoever can have sessions: engineers and team admins. A super admin gets 403 with the message, before any
    account is to be chosen."""

    def decorate(view: View) -> View:
        scoped = account_required(view)

        @signed_in
        @wraps(view)
        def wrapper(request: AccountRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.works_sessions:
                return refused(request, message, instead)
            return scoped(request, *args, **kwargs)

        wrapper.account_scoped = True  # type: ignore[attr-defined]
        return wrapper

    return decorate


def refused(request: HttpRequest, message: str, instead: tuple[str, str] | None = None) -> HttpResponse:
    """403 with the message, and with the link to `instead`, (words, name of the route), where there is one."""
    if instead is None:
        raise PermissionDenied(message)
    words, route = instead
    context = {"exception": message, "instead_label": words, "instead_href": resolve_url(route)}
    return render(request, "403.html", context, status=403)
