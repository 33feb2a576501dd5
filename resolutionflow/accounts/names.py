"""What people are called where a team is shown: on team pages, in lists and in exports."""

from uuid import UUID

from resolutionflow.accounts.models import Account, User


def shown_names(account: Account, viewer: User | None = None) -> dict[UUID, str]:
    """The name of every user of the account by id; with `names_hidden` "Engineer N" instead, "Engineer N (you)" for the
    viewer.

    N counts the account's users in the order in which they came, so it stays the same: users are never deleted.
    """
    users = User.objects.filter(account=account).order_by("created_at", "id").values_list("id", "name")
    if not account.names_hidden:
        return dict(users)
    you = viewer.id if viewer else None
    return {
        id_: f"Engineer {number} (you)" if id_ == you else f"Engineer {number}"
        for number, (id_, _) in enumerate(users, start=1)
    }


def shown_name(account: Account, person: User) -> str:
    """Of one person alone. A super admin belongs to no account, so has no name there."""
    return shown_names(account).get(person.id, str(person.role_label))
