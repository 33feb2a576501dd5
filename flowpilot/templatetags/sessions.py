"""The words of a session in templates; a builtin of the template engine (settings.py)."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flowpilot.psa.models import PsaPush
from flowpilot.sessions.states import Outcome, Status
from resolutionflow.figures import NOTHING, timespan
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


# `{{ "time_entry"|push_kind }}` → "time entry".
register.filter("push_kind", lambda kind: str(PsaPush.Kind(kind).label).lower())


@register.filter
def elapsed(seconds: int) -> str:
    """`{{ seconds|elapsed }}`: a running time, 04:12, 1:04:12, and from a day on 2 d 4 h. runner.js writes the same."""
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes % 60:02}:{seconds % 60:02}" if hours else f"{minutes:02}:{seconds % 60:02}"


@register.filter
def waited(seconds: int) -> str:
    """`{{ seconds|waited }}`: how long somebody waits, 20 min, 7 h 50 min, 2 d 4 h."""
    return timespan(seconds) or f"{seconds // 60} min"
