from flowpilot.flows.models import Flow, FlowVersion


def version_choices(flow: Flow) -> list[tuple[str, str]]:
    """For a select: the versions of the flow, newest first, led by all of them."""
    numbers = FlowVersion.objects.filter(flow=flow).order_by("-number").values_list("number", "id")
    return [("", "All versions")] + [
        (str(number), f"Version {number}{' (current)' if id_ == flow.current_version_id else ''}")
        for number, id_ in numbers
    ]
