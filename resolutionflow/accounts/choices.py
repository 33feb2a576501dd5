from resolutionflow.accounts.models import Account, User


def engineer_choices(account: Account) -> list[tuple[str, str]]:
    """For a select: all users of the account by name, led by "All engineers"."""
    names = User.objects.filter(account=account).order_by("name", "id").values_list("id", "name")
    return [("", "All engineers"), *((str(id_), name) for id_, name in names)]
