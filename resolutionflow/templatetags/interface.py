"""The words of the templates: figures by unit, moments in the account's zone, and the components that reckon.

A builtin of the template engine (settings.py): no `{% load %}` needed. Components without logic are plain includes;
templates/components/README.md lists them all.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BaseForm, Select
from django.http import QueryDict
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from resolutionflow.figures import NOTHING, Change, Number, Rate, Tone, change, counted, parts, said, timespan
from resolutionflow.markdown import as_html
from resolutionflow.metrics import Metric
from resolutionflow.periods import LENGTHS, Period
from resolutionflow.settings_pages import settings_groups

register = template.Library()


@register.filter
def breakable(address: str) -> SafeString:
    """`{{ user.email|breakable }}`: an email address that a narrow column breaks after its @, not within a word."""
    return SafeString(conditional_escape(address).replace("@", "@<wbr>"))


# `{{ node.help|markdown }}`: text that people wrote, as safe HTML in a small subset of Markdown.
register.filter("markdown", as_html)


# Figures. The unit is a metric's ("count", "share", "duration", "score"), in tables also "day" or "text".


# `{{ totals.completion_rate|metric:"share" }}` → "84.6 %". None, which is not zero, gives "–".
register.filter("metric", said)

# `{{ row.completed|counted:"session" }}` → "1,234 sessions": for the title of a link that says no count.
register.filter("counted", counted)


@register.simple_tag
def duration(seconds: Number | None) -> SafeString | str:
    """`{% duration session.duration_seconds %}`: minutes, from two hours on with days and hours on hover."""
    words = said(seconds, "duration")
    title = timespan(seconds)
    return format_html('<span title="{}">{}</span>', title, words) if title else words


@register.simple_tag
def localtime(moment: datetime | None, tz: tzinfo, form: str = "minute") -> SafeString | str:
    """`{% localtime session.started_at account.tz %}`: a <time> in the account's zone, the exact moment on hover.

    `form` is "minute" (5 Mar 2016, 14:02), "day" (5 Mar 2016) or "clock" (14:02). None gives "–".
    """
    if moment is None:
        return NOTHING
    local = moment.astimezone(tz)
    formats = {"minute": "j M Y, H:i", "day": "j M Y", "clock": "H:i"}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{date_format(local, 'l j F Y, H:i:s')} {local.tzname()}",
        date_format(local, formats[form]),
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "check" %}`: a decorative icon of static/img/icons.svg; say what it means in words beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("img/icons.svg"), name
    )


# Figures with their change and their certainty.


@register.inclusion_tag("components/stat.html")
def stat(
    metric: Metric,
    value: Number | None,
    *,
    before: Number | None = None,
    since: str = "",
    href: str = "",
    opens: int | None = None,
    rate: Rate | None = None,
    few_before: bool = False,
    about: str = "",
    hint: str = "",
    label: str = "",
    beside: str = "",
) -> dict[str, Any]:
    """One figure on a card.

    `{% stat metrics.sessions totals.sessions before=before.sessions since=period.before.words href=url %}`

    before, since: the same figure of the period before, and the words for that ("to the 30 days before"); without
    `since` no change is shown. href: the sessions behind the figure; opens: how many, where the figure does not say it.
    rate: from `{% rate_of part whole as r %}`, for a share: gives the interval, and "3 of 4 · too few" below 5.
    few_before: the rate before had too few, so the change is not judged. about: URL of the definition; hint: what it
    counts, in one sentence, in the tooltip. label: in place of the metric's. beside: a line at the foot with what it
    stands beside ("team's median 12").
    """
    number, unit = parts(value, metric.unit)
    moved = change(metric, value, before) if since else None
    if moved and (few_before or (rate and rate.few)):
        moved = Change(moved.words, moved.direction, "none")
    label = label or metric.label
    return {
        "label": label,
        "slug": slugify(label),
        "number": number,
        "unit": unit,
        "title": timespan(value) if metric.unit == "duration" else "",
        "href": href if value is not None else "",
        "opens": rate.part if rate else opens,
        "change": moved,
        "since": since,
        "rate": rate if rate and rate.whole else None,
        "about": about,
        "hint": hint,
        "beside": beside,
    }


@register.simple_tag
def rate_of(part: int, whole: int) -> Rate:
    """`{% rate_of totals.completed_sessions totals.sessions as completed %}` for `{% stat … rate=completed %}`."""
    return Rate(part, whole)


@register.simple_tag
def interval(rate: Rate) -> SafeString:
    """`{% interval rate %}`: a thin bar from 0 to 100 %, with the Wilson 95 % interval and a tick at the value. The
    rate's whole is above 0."""
    counts = f"{rate.part:,} of {rate.whole:,}"
    return format_html(
        INTERVAL, low=rate.low, high=rate.high, width=rate.width, at=rate.percent, counts=counts
    )


# Written here and not as templates: a table of a flow's answers has five of them in each row.
INTERVAL = (
    '<svg class="interval" height="8" role="img" aria-label="95 % interval {low} to {high} %">'
    "<title>95 % interval {low} – {high} %, {counts}</title>"
    '<rect class="track" y="1" width="100%" height="6" rx="3"/>'
    '<rect class="range" x="{low}%" y="1" width="{width}%" height="6" rx="3"/>'
    '<rect class="tick" x="{at}%" width="2" height="8" rx="1" transform="translate(-1 0)"/></svg>'
)
FEW = '<span class="rate few" title="{title}">{figure}<small>too few {of}</small></span>'


@register.simple_tag
def rate(part: int, whole: int, *, href: str = "", of: str = "sessions") -> SafeString:
    """`{% rate row.completed row.sessions %}` in a table cell: the share, its interval as a thin bar; grey "3 of 4"
    below 5; "–" of nothing. of: what is counted, in the tooltip."""
    rate = Rate(part, whole)
    if not whole:
        return format_html('<span class="rate">{}</span>', NOTHING)
    if rate.few:
        words = f"{part:,} of {whole:,}"
        return format_html(FEW, title=f"{words} {of}: too few to judge", figure=_linked(words, href), of=of)
    figure = _linked(f"{rate.percent} %", href, counted(part, "session"))
    return format_html('<span class="rate">{} {}</span>', figure, interval(rate))


def _linked(words: str, href: str, title: str = "") -> SafeString | str:
    """The words of a figure, as a link to the sessions behind it where there is an address."""
    if not href:
        return words
    told = format_html(' title="{}"', title) if title else ""
    return format_html('<a class="figure" href="{}"{}>{}</a>', href, told, words)


@register.inclusion_tag("components/csat.html")
def csat(
    mean: Number | None, count: int, completed: int, *, label: str = "", href: str = ""
) -> dict[str, Any]:
    """`{% csat row.avg_csat row.ratings row.completed %}`: the engineers' own rating with n and the share of the
    completed sessions that were rated.

    label: "of these sessions" or "given in the period", where both can stand. href: the rated sessions.
    """
    rated = said(Decimal(count) / completed, "share") if completed else NOTHING
    return {
        "mean": parts(mean, "score")[0],
        "count": count,
        "rated": rated,
        "label": label,
        "href": href if count else "",
        "none": mean is None,
    }


@register.simple_tag
def badge(text: object, tone: Tone = "none") -> SafeString:
    """`{% badge "Needs attention" "watch" %}`: a small label; tone good, watch, bad or none."""
    return format_html('<span class="badge {}">{}</span>', tone, text)


# Components that wrap or lay out.


@register.simple_block_tag
def pagehead(content: str, title: str, sub: object = "") -> SafeString:
    """`{% pagehead "Analytics" sub=words %}…buttons, filters…{% endpagehead %}`: the page's only h1."""
    return render_to_string("components/pagehead.html", {"title": title, "sub": sub, "content": content})


@register.inclusion_tag("settings/_pages.html", takes_context=True)
def settings_pages(context: Mapping[str, Any]) -> dict[str, Any]:
    """The list at the side of the settings, in settings/base.html."""
    request, account = context["request"], context["open_account"]
    return {"groups": settings_groups(request.user, request.path, account.name if account else "")}


@register.simple_block_tag
def table(content: str, caption: str) -> SafeString:
    """`{% table "Top flows" %}<thead>…</thead><tbody>…</tbody>{% endtable %}`; numbers in `<td class="num">`.

    The caption names table and scroll area for screen readers; a heading above says it to the eye.
    """
    return render_to_string("components/table.html", {"content": content, "caption": caption})


@register.simple_block_tag
def dialog(content: str, id: str, title: str) -> SafeString:
    """`{% dialog "rename" "Rename flow" %}…{% enddialog %}`, opened by `<button data-dialog="rename">`."""
    return render_to_string("components/dialog.html", {"content": content, "id": id, "title": title})


@register.inclusion_tag("components/chart.html")
def figure(
    figure: Mapping[str, Any],
    name: str,
    *,
    title: str,
    summary: str,
    columns: Sequence[tuple[str, str, str]],
    rows: Iterable[Mapping[str, Any]],
    about: str = "",
    export: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A chart with its title, one sentence that says what it shows, and its data as a table.

    `{% figure trend "trend" title="Sessions per day" summary=words columns=columns rows=days %}`

    figure: plain data in Plotly's schema. columns: (key, heading, unit) of each row, the units of the filter `metric`.
    A row's `hrefs` may have the address behind a key's figure. about: URL of the definition. export: the context of
    components/export.html. The page must set `{% block charts %}` (base.html).
    """
    described = [(key, heading, unit, unit not in ("text", "day")) for key, heading, unit in columns]
    table = [
        [
            (said(row[key], unit), number, row.get("hrefs", {}).get(key, ""))
            for key, _, unit, number in described
        ]
        for row in rows
    ]
    return {
        "figure": figure,
        "name": name,
        "json_id": f"figure-{name}-json",
        "title": title,
        "summary": summary,
        "headings": [(heading, number) for _, heading, _, number in described],
        "rows": table,
        "about": about,
        "export": export,
    }


@register.inclusion_tag("components/filters.html")
def filters(
    form: BaseForm,
    period: Period,
    query: QueryDict,
    *,
    action: str,
    target: str,
    selects: BaseForm | None = None,
    whole_time: bool | None = None,
) -> dict[str, Any]:
    """Period switch and selects, as links and plain GET forms that htmx swaps into `target`.

    `{% filters form period request.GET action=request.path target="#tab" %}`

    form: what the query string was read by; its errors are shown. period: what is shown. query: every parameter that
    the switch does not set itself is kept, paging left out. selects: the form whose selects are offered, `form` itself
    if none is given. whole_time: whether all time is shown; None where that is no choice.
    """
    others = query.copy()
    for key in ["period", "from", "to", "page", "before", "after"]:
        others.pop(key, None)
    choices = []
    for length in LENGTHS:
        link = others.copy()
        link["period"] = f"{length}d"
        choices.append(
            {
                "label": f"{length} days",
                "href": f"{action}?{link.urlencode()}",
                "current": period.length == length and not whole_time,
            }
        )
    if whole_time is not None:
        link = others.copy()
        link["period"] = "all"
        choices.append({"label": "All time", "href": f"{action}?{link.urlencode()}", "current": whole_time})
    offered = [field for field in selects or form if isinstance(field.field.widget, Select)]
    shown = {"period": "all"} if whole_time else period.query
    kept = [(key, value) for key, values in others.lists() for value in values if value]
    return {
        "choices": choices,
        "custom": period.length is None and not whole_time,
        "period": period,
        "whole_time": whole_time,
        "selects": offered,
        "kept": kept,  # for the form of the custom range
        "kept_beside_selects": [
            *((key, value) for key, value in kept if key not in {select.name for select in offered}),
            *shown.items(),
        ],
        "shown": urlencode([*kept, *shown.items()]),
        "errors": _faults(form),
        "action": action,
        "target": target,
        "today": period.now.astimezone(period.tz).date(),
    }


@register.inclusion_tag("components/filter_faults.html")
def filter_faults(form: BaseForm) -> dict[str, Any]:
    """`{% filter_faults form %}`: what is wrong with the query string, where the filters themselves are not shown."""
    return {"errors": _faults(form)}


def _faults(form: BaseForm) -> list[str]:
    """What is wrong with the query string, each with its parameter; periods say it themselves."""
    return [
        str(message) if name in {"period", "from", "to"} else f"{form[name].label}: {message}"
        for name, messages in form.errors.items()
        for message in messages
    ]
