"""The words of a session in templates; a builtin of the template engine (settings.py)."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flowpilot.sessions.states import Outcome, Status
from resolutionflow.figures import NOTHING
from resolutionflow.templatetags.interface import icon

register = template.Library()

# Each has a mark of its own shape too, so that colour is never the only sign.
TONES: dict[str, str] = {
    Status.ACTIVE: "accent",
    Status.REQUESTING_ESCALATION: "watch",
    Status.RESOLVED: "good",
    Outcome.WORKAROUND: "watch",
    Status.ESCALATED: "bad",
    Status.UNRESOLVED: "none",
    Status.ABANDONED: "none",
}
WORDS = dict(Status.choices) | dict(Outcome.choices)


@register.simple_tag
def status(value: str | None) -> SafeString | str:
    """`{% status session.status %}` or of an outcome: its mark and word; "–" of None."""
    if not value:
        return NOTHING
    mark = icon(f"mark-{value}")
    return format_html('<span class="status {}">{}{}</span>', TONES[value], mark, WORDS[value])
