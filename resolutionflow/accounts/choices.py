from resolutionflow.accounts.models import Account
from resolutionflow.accounts.names import shown_names
from resolutionflow.folding import fold


def engineer_choices(account: Account) -> list[tuple[str, str]]:
    """For a select: all users of the account by name, or by number where names are hidden, led by "All engineers"."""
    names = [(str(id_), name) for id_, name in shown_names(account).items()]
    if not account.names_hidden:
        names.sort(key=lambda user: (fold(user[1]), user[0]))
    return [("", "All engineers"), *names]
