"""Whom the list of users shows, on the page and in its file."""

from django.db.models import Q, QuerySet

from flowpilot.users.forms import UserListForm
from resolutionflow.accounts.models import Account, User
from resolutionflow.folding import by_name


def listed_users(form: UserListForm, account: Account) -> QuerySet[User]:
    """Team admins first, then by name. A faulty form filters nothing."""
    wanted = form.cleaned_data if form.is_valid() else {}
    users, words = User.objects.filter(account=account), wanted.get("q", "")
    if words:
        users = users.filter(Q(name__icontains=words) | Q(email__icontains=words))
    if wanted.get("state") != "all":
        users = users.filter(is_active=True)
    return users.order_by("-role", *by_name())
