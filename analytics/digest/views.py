"""The digest on demand, and the way out of it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from analytics.digest import sending
from analytics.digest.mail import user_of
from analytics.digest.weeks import last_monday
from analytics.jobs import send_digest
from resolutionflow.accounts.scoping import AccountRequest, account_required
from resolutionflow.jobs.state import workers


@account_required
@require_POST
def send_now(request: AccountRequest) -> HttpResponse:
    """Queues the digest of the last whole week to the person who asks."""
    user, account = request.user, request.account
    if user.account_id != account.id:
        raise PermissionDenied("A digest is for people of the account.")
    with transaction.atomic():
        week = last_monday(request.now, account.tz)
        delivery = sending.requested_delivery(user, week, now=request.now)
        if delivery is not None:
            send_digest.defer(account_id=str(account.id), delivery_id=str(delivery.id))
    if delivery is None:
        messages.warning(request, "You asked for several digests within an hour. Please try again later.")
    elif workers().alive:
        messages.success(request, f"Your digest is on its way to {user.email}.")
    else:
        messages.warning(
            request,
            f"Your digest to {user.email} waits: no worker is running. Tell who runs this installation.",
        )
    return redirect("settings:profile")


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the signed token says whose digest it is
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Without signing in: GET asks, POST switches the digest off."""
    user = user_of(token)
    if user is None:
        raise Http404("No such link")
    if request.method == "POST" and user.weekly_digest:
        user.weekly_digest = False
        user.save(update_fields=["weekly_digest"])
    return render(request, "digest/unsubscribe.html", {"person": user})
