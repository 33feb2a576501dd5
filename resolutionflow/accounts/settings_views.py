"""Settings that everybody has: the own profile."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from resolutionflow.accounts.models import User
from resolutionflow.accounts.scoping import signed_in
from resolutionflow.accounts.settings_forms import ProfileForm


@require_GET
@signed_in
def start(request: HttpRequest) -> HttpResponse:
    return redirect("settings:profile")


@require_http_methods(["GET", "POST"])
@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """What a person may change of themselves; their email and role are a team admin's business."""
    person = User.objects.get(pk=cast(User, request.user).pk)  # the form must not rename the one in the frame
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect("settings:profile")
    return render(request, "settings/profile.html", {"form": form}, status=422 if form.errors else 200)
