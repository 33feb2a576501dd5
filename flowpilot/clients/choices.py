from flowpilot.clients.models import Client
from resolutionflow.folding import by_name


def client_choices(without: str = "All clients") -> list[tuple[str, str]]:
    """For a select: all clients of the account in scope by name, led by the words for none."""
    names = Client.objects.order_by(*by_name()).values_list("id", "name")
    return [("", without), *((str(id_), name) for id_, name in names)]
