"""The users of an account and their roles.

The acts themselves are resolutionflow.accounts.inviting and .rights; the pages are here because they show each person's
open sessions.
"""

from typing import Any
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flowpilot.users.forms import CANNOT_BE_USED, InviteForm, RoleForm, UserListForm
from flowpilot.users.listing import listed_users
from flowpilot.users.open_sessions import open_sessions, open_sessions_of
from resolutionflow.accounts import inviting, rights
from resolutionflow.accounts.models import Role, State, User
from resolutionflow.accounts.scoping import AccountRequest, team_required
from resolutionflow.exports import export_menu
from resolutionflow.figures import counted
from resolutionflow.numbered_pages import numbered_page

leads_only = team_required("Users and roles are for team admins.")
TOO_MANY = "Too many invitations in a short time. Nothing was sent: wait an hour and try again."


@require_GET
@leads_only
def user_list(request: AccountRequest) -> HttpResponse:
    """Team admins first, then by name."""
    form = UserListForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    page = numbered_page(request, listed_users(form, request.account), "users")
    counts = open_sessions(request.user, request.account, request.now)
    context = {
        "form": form,
        "words": wanted.get("q", ""),
        "everybody": wanted.get("state") == "all",
        "rows": [(person, counts.get(person.pk, 0), open_sessions_of(person)) for person in page.rows],
        "page": page,
        "export": _export(form, page.total),
        "invitation": InviteForm(account=request.account),
        "tz": request.account.tz,
    }
    return render(request, "settings/users/list.html", context)


def _export(form: UserListForm, total: int) -> dict[str, Any] | None:
    """The Export menu; None where the list is empty or its filters are faulty."""
    if form.errors or not total:
        return None
    return export_menu("users", counted(total, "user"), "analytics:users-export", form.cleaned_data)


@require_http_methods(["GET", "POST"])
@leads_only
def invite_user(request: AccountRequest) -> HttpResponse:
    form = InviteForm(request.POST if request.method == "POST" else None, account=request.account)
    if request.method == "POST":
        # counted before the address is looked at: nobody tries out many
        if not ratelimit.consume(request, action="invite", key=str(request.account.pk)):
            messages.error(request, TOO_MANY)
            return render(request, "settings/users/invite.html", {"form": form}, status=429)
        if form.is_valid():
            try:
                person = inviting.invite(
                    request.account,
                    email=form.cleaned_data["email"],
                    name=form.cleaned_data["name"],
                    role=Role(form.cleaned_data["role"]),
                    by=request.user,
                    at=request.now,
                )
            except inviting.Taken:
                form.add_error("email", CANNOT_BE_USED)
            else:
                _mail(request, person, f"{person.name} is invited: a link to set a password is on its way.")
                return redirect("settings:users:list")
    return render(request, "settings/users/invite.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@leads_only
def user_detail(request: AccountRequest, user_id: UUID) -> HttpResponse:
    """One person, their role to change, and whether they may write flows."""
    person = get_object_or_404(_people(request), pk=user_id)
    initial = {"role": person.role, "can_author": person.can_author}
    form = RoleForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            rights.change_role(person, role, by=request.user)
            rights.change_authoring(person, form.cleaned_data["can_author"], by=request.user)
        except rights.NotAllowed as no:
            form.add_error("role", str(no))
        else:
            messages.success(request, f"{person.name} is {_what(role, form.cleaned_data['can_author'])} now.")
            return redirect("settings:users:detail", person.pk)
    return _person_page(
        request, "settings/users/detail.html", person, form=form, status=422 if form.errors else 200
    )


def _what(role: Role, can_author: bool) -> str:
    if role == Role.TEAM_ADMIN:
        return "a team admin"
    return "an engineer who may write flows" if can_author else "an engineer"


@require_http_methods(["GET", "POST"])
@leads_only
def deactivate_user(request: AccountRequest, user_id: UUID) -> HttpResponse:
    """Says what will happen, and asks."""
    person = get_object_or_404(_people(request), pk=user_id)
    refused = rights.why_not(person, request.user)
    if request.method == "POST":
        try:
            rights.deactivate(person, by=request.user, at=request.now)
        except rights.NotAllowed as no:
            refused = str(no)
        else:
            messages.success(request, f"{person.name} is deactivated and signed out everywhere.")
            return redirect("settings:users:detail", person.pk)
    return _person_page(
        request,
        "settings/users/deactivate.html",
        person,
        refused=refused,
        trail=[
            ("Users and roles", reverse("settings:users:list")),
            (person.name, reverse("settings:users:detail", args=[person.pk])),
        ],
        status=422 if refused and request.method == "POST" else 200,
    )


@leads_only
@require_POST
def reactivate_user(request: AccountRequest, user_id: UUID) -> HttpResponse:
    person = get_object_or_404(_people(request), pk=user_id)
    if not _may_mail(request, person):
        return redirect("settings:users:detail", person.pk)
    try:
        back = rights.reactivate(person, by=request.user, at=request.now)
    except rights.NotAllowed as no:
        messages.error(request, str(no))
    else:
        if back:
            person.refresh_from_db()
            _mail(
                request,
                person,
                f"{person.name} is back: a link to set a new password is on its way.",
                returning=True,
            )
    return redirect("settings:users:detail", person.pk)


@leads_only
@require_POST
def invite_again(request: AccountRequest, user_id: UUID) -> HttpResponse:
    """Also for people who came by an import and were never invited."""
    person = get_object_or_404(_people(request), pk=user_id)
    if person.is_superuser or person.state not in (State.INVITED, State.NO_PASSWORD):
        messages.error(request, f"{person.name} needs no invitation.")
    elif _may_mail(request, person):
        inviting.invite_again(person, by=request.user, at=request.now)
        _mail(request, person, f"A link to set a password is on its way to {person.email}.")
    return redirect("settings:users:detail", person.pk)


def _people(request: AccountRequest) -> QuerySet[User]:
    return User.objects.filter(account=request.account).select_related("account")


def _may_mail(request: AccountRequest, person: User) -> bool:
    limits = {"invite_again": str(person.pk), "invite": str(request.account.pk)}
    allowed = all(ratelimit.consume(request, action=action, key=key) for action, key in limits.items())
    if not allowed:
        messages.error(request, TOO_MANY)
    return allowed


def _mail(request: AccountRequest, person: User, success: str, *, returning: bool = False) -> None:
    if inviting.send_link(person, by=request.user, returning=returning):
        messages.success(request, success)
    else:
        messages.warning(
            request,
            f"The mail to {person.email} could not be sent. Try “Send again” on their page later.",
        )


def _person_page(
    request: AccountRequest, template: str, person: User, *, status: int, **more: Any
) -> HttpResponse:
    context = {
        "person": person,
        "open_sessions": open_sessions(request.user, request.account, request.now).get(person.pk, 0),
        "open_sessions_href": open_sessions_of(person),
        "fixed": rights.why_not(person, request.user),
        "tz": request.account.tz,
        **more,
    }
    return render(request, template, context, status=status)
