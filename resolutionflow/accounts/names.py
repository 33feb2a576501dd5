"""What people are called where a team is shown: on team pages, in lists and in exports."""

from uuid import UUID

from resolutionflow.accounts.models import Account, User


def shown_names(account: Account) -> dict[UUID, str]:
    """The name of every user of the account by id; with `names_hidden` "Engineer N" instead.

    N counts the account's users in the order in which they came, so it stays the same: users are never deleted.
    """
    users = User.objects.filter(account=account).order_by("created_at", "id").values_list("id", "name")
    return {
        id_: f"Engineer {number}" if account.names_hidden else name
        for number, (id_, name) in enumerate(users, start=1)
    }
