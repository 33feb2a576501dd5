"""Which account a super admin looks at."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from resolutionflow.accounts.models import Account, AuditEntry, User
from resolutionflow.accounts.scoping import CHOSEN_ACCOUNT, signed_in
from resolutionflow.folding import by_name


@require_http_methods(["GET", "POST"])
@signed_in
def choose_account(request: HttpRequest) -> HttpResponse:
    """A super admin picks the account to look at; the choice lasts as long as the login and is audited."""
    user = cast(User, request.user)
    if not user.is_superuser:
        return redirect("home")
    target = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    unknown = False
    if request.method == "POST":
        account = Account.objects.filter(slug=request.POST.get("account", "").replace("\0", "")).first()
        if account is not None:
            request.session[CHOSEN_ACCOUNT] = str(account.id)
            AuditEntry.record("account.opened", actor=user, account=account, object=account.slug)
            return redirect(target)
        unknown = bool(request.POST.get("account"))
    context = {"accounts": Account.objects.order_by(*by_name()), "next": target, "unknown": unknown}
    return render(request, "accounts/choose.html", context, status=422 if unknown else 200)
