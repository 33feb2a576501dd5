"""Settings that everybody has, the own profile and API tokens, and those of the account."""

from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from resolutionflow.accounts.models import Account, ApiToken, AuditEntry, User
from resolutionflow.accounts.scoping import AccountRequest, signed_in, team_required
from resolutionflow.accounts.settings_forms import AccountForm, ProfileForm, TokenForm
from resolutionflow.accounts.zones import offered_zones

MOST_SHOWN = 100


@require_GET
@signed_in
def start(request: HttpRequest) -> HttpResponse:
    return redirect("settings:profile")


@require_http_methods(["GET", "POST"])
@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """What a person may change of themselves; email and role are a team admin's business."""
    # asked for anew: a bad form must not rename the one in the frame
    person = User.objects.get(pk=cast(User, request.user).pk)
    form = ProfileForm(_posted(request), instance=person)
    if form.is_valid():
        person.save(update_fields=form.changed_data)
        messages.success(request, "Your profile is saved.")
        return redirect("settings:profile")
    return render(request, "settings/profile.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@signed_in
def tokens(request: HttpRequest) -> HttpResponse:
    """The person's tokens. A new one is shown by the very answer that made it, which no browser keeps."""
    user, secret = cast(User, request.user), ""
    form = TokenForm(person=user)
    if request.method == "POST":
        with transaction.atomic():
            # two at once come one after the other, and none comes after a deactivation
            person = get_object_or_404(
                User.objects.select_for_update(no_key=True), pk=user.pk, is_active=True
            )
            form = TokenForm(request.POST, person=person)
            if form.is_valid():
                token, secret = ApiToken.issue(person, form.cleaned_data["label"])
                _audit_token("token.created", token, user)
                form = TokenForm(person=person)
    context = {
        "form": form,
        "secret": secret,
        "label": token.label if secret else "",
        "tokens": user.api_tokens.order_by(F("revoked_at").desc(nulls_first=True), "-created_at")[
            :MOST_SHOWN
        ],
        "tz": _zone_of(user),
    }
    return render(request, "settings/tokens.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@signed_in
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Asks first. A colleague's token is forbidden, one of another account does not exist."""
    user = cast(User, request.user)
    token = get_object_or_404(ApiToken.objects.filter(user__account=user.account_id), pk=token_id)
    if token.user_id != user.pk:
        raise PermissionDenied("This is a colleague's token.")
    if request.method == "POST":
        now = timezone.now()
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            _audit_token("token.revoked", token, user)
        messages.success(request, f"The token “{token.label}” is revoked.")
        return redirect("settings:tokens")
    return render(request, "settings/revoke_token.html", {"token": token, "tz": _zone_of(user)})


@require_http_methods(["GET", "POST"])
@team_required("The settings of the account are for team admins.")
def account(request: AccountRequest) -> HttpResponse:
    with transaction.atomic():
        held = Account.objects.select_for_update(no_key=True).get(pk=request.account.pk)
        before = Account.objects.get(pk=held.pk)
        form = AccountForm(_posted(request), instance=held)
        if form.is_valid():
            _save_account(form, before, request.user)
            messages.success(request, "The settings of the account are saved.")
            return redirect("settings:account")
    context = {"form": form, "zones": offered_zones()}
    return render(request, "settings/account.html", context, status=422 if form.errors else 200)


def _save_account(form: AccountForm, before: Account, by: User) -> None:
    after = form.instance
    changes = {
        name: {"old": _plain(getattr(before, name)), "new": _plain(getattr(after, name))}
        for name in form.changed_columns
    }
    if changes:
        after.save(update_fields=list(changes))
        AuditEntry.record("account.changed", actor=by, account=after, object=after.slug, **changes)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | bool) else str(value)


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _zone_of(user: User) -> ZoneInfo:
    return user.account.tz if user.account else ZoneInfo("UTC")


def _audit_token(action: str, token: ApiToken, user: User) -> None:
    AuditEntry.record(action, actor=user, account=user.account, object=user.email, label=token.label)
