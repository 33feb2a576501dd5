"""What the pages of the editor post, and where."""

from flowpilot.flows import drafting
from flowpilot.flows.editor import saving
from flowpilot.flows.structure import nodes_of
from flowpilot.models import Flow

HTMX = {"HX-Request": "true"}


def url(flow, rest="edit/"):
    return f"/flows/{flow.id}/{rest}"


def draft_of(flow):
    return drafting.draft_of(Flow.objects.get(id=flow.id))


def mark(flow):
    return saving.mark_of(saving.opened(Flow.objects.select_related("current_version").get(id=flow.id)))


def node(flow, id="start"):
    return next(node for node in nodes_of(draft_of(flow).structure) if node["id"] == id)


def form(flow, id="start", **changes):
    """The fields of a step's form as the page has them."""
    step = node(flow, id)
    data = {"mark": mark(flow), "step": id, "act": "", "title": step["title"], "help": step.get("help", "")}
    if step["type"] == "question":
        data["option-label"] = [option["label"] for option in step["options"]]
        data["option-next"] = [option["next"] for option in step["options"]]
    elif step["type"] == "action":
        data["next"] = step["next"]
        if "script" in step:
            data |= {"script-shell": step["script"]["shell"], "script-text": step["script"]["text"]}
    else:
        data["outcome"] = step["outcome"]
    return data | changes


def change(browser, flow, id="start", htmx=True, **changes):
    headers = HTMX if htmx else {}
    return browser.post(url(flow, "edit/change/"), form(flow, id, **changes), headers=headers)


def titles(page):
    return [row.text for row in page.one("ol", id="outline").all("span", class_="t")]
