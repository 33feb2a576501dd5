from flowpilot.clients.models import Client


def client_choices() -> list[tuple[str, str]]:
    """For a select: all clients of the account in scope by name, led by "All clients"."""
    names = Client.objects.order_by("name", "id").values_list("id", "name")
    return [("", "All clients"), *((str(id_), name) for id_, name in names)]
