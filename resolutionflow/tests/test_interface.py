from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.db.models import Count
from django.http import QueryDict
from django.template import Context, Template
from django.utils.html import strip_tags

from resolutionflow.figures import Change, Rate, change, parts, timespan
from resolutionflow.metrics import Metric
from resolutionflow.periods import Period

LONDON = ZoneInfo("Europe/London")
SESSIONS = Metric("Sessions", "count", None, Count("pk"))
RESOLUTION = Metric("Resolution rate", "share", "higher", Count("pk"))
MEDIAN = Metric("Median duration", "duration", "lower", Count("pk"))
CSAT = Metric("CSAT", "score", "higher", Count("pk"))


def render(template, **context):
    return Template(template).render(Context(context))


def text(html):
    """What a person reads of the markup."""
    return " ".join(strip_tags(html.replace("<", " <")).split())


# figures


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1284, "count", "1,284"),
        (0, "count", "0"),
        (Decimal("0.8458"), "share", "84.6 %"),
        (Decimal(3) / 80, "share", "3.8 %"),  # 3.75 rounds up
        (0, "share", "0.0 %"),
        (1, "share", "100.0 %"),
        (888, "duration", "14.8 min"),
        (100_800, "duration", "1,680.0 min"),
        (3, "duration", "0.1 min"),  # 0.05 rounds up
        (-90, "duration", "-1.5 min"),
        (Decimal("4.25"), "score", "4.3"),
        (date(2016, 3, 5), "day", "5 Mar 2016"),
        ("VPN", "text", "VPN"),
        ("", "text", "–"),
        (None, "count", "–"),
        (None, "share", "–"),
        (None, "duration", "–"),
        (None, "score", "–"),
        (None, "text", "–"),
    ],
)
def test_metric_says_a_figure_by_its_unit(value, unit, shown):
    assert render("{{ value|metric:unit }}", value=value, unit=unit) == shown


def test_parts_keep_figure_and_sign_apart():
    assert parts(Decimal("0.5"), "share") == ("50.0", "%")
    assert parts(None, "share") == ("–", "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (7199, ""),
        (7200, "2 h"),
        (7260, "2 h 1 min"),
        (86_400, "1 d"),
        (100_800, "1 d 4 h"),
        (86_460, "1 d"),  # two units at most, so the minute goes
        (-100_800, "−1 d 4 h"),
    ],
)
def test_timespan(seconds, words):
    assert timespan(seconds) == words


def test_duration_has_days_and_hours_on_hover_once_it_is_long():
    assert render("{% duration 888 %}") == "14.8 min"
    assert render("{% duration 100800 %}") == '<span title="1 d 4 h">1,680.0 min</span>'


def test_localtime_is_in_the_zone_and_exact_on_hover():
    moment = datetime(2016, 7, 5, 13, 2, 9, tzinfo=UTC)
    html = render("{% localtime moment tz %}", moment=moment, tz=LONDON)
    assert 'datetime="2016-07-05T13:02:09Z"' in html
    assert 'title="Tuesday 5 July 2016, 14:02:09 BST"' in html
    assert text(html) == "5 Jul 2016, 14:02"
    assert text(render('{% localtime moment tz "day" %}', moment=moment, tz=LONDON)) == "5 Jul 2016"
    assert text(render('{% localtime moment tz "clock" %}', moment=moment, tz=LONDON)) == "14:02"
    assert render("{% localtime moment tz %}", moment=None, tz=LONDON) == "–"


# change


@pytest.mark.parametrize(
    ("metric", "value", "before", "moved"),
    [
        (SESSIONS, 109, 100, Change("9.0 %", "up", "none")),
        (SESSIONS, 50, 200, Change("75 %", "down", "none")),
        (SESSIONS, 100, 100, Change("no change", "same", "none")),
        (SESSIONS, 12, 0, None),
        (SESSIONS, 0, 0, None),
        (RESOLUTION, Decimal("0.846"), Decimal("0.825"), Change("2.1 points", "up", "good")),
        (RESOLUTION, Decimal("0.5"), Decimal("0.51"), Change("1.0 point", "down", "bad")),
        (RESOLUTION, Decimal("0.5001"), Decimal("0.5"), Change("no change", "same", "none")),
        (MEDIAN, 888, 816, Change("1.2 min", "up", "bad")),
        (MEDIAN, 816.0, 888.0, Change("1.2 min", "down", "good")),
        (CSAT, Decimal("4.4"), Decimal("4.2"), Change("0.2", "up", "good")),
        (RESOLUTION, None, Decimal("0.5"), None),
        (RESOLUTION, Decimal("0.5"), None, None),
    ],
)
def test_change_in_words(metric, value, before, moved):
    assert change(metric, value, before) == moved


# rates


def test_rate_shows_its_interval():
    # Wilson 95 % of 8 in 10: centre (0.8 + 3.8415/20) / 1.38415 = 0.7167, spread 0.2266
    html = render("{% rate 8 10 href='/sessions/' %}")
    assert 'href="/sessions/"' in html
    assert 'aria-label="95 % interval 49.0 to 94.3 %"' in html
    assert text(html).startswith("80.0 %")


def test_rate_of_few_sessions_is_not_judged():
    html = render("{% rate 3 4 %}")
    assert text(html) == "3 of 4 too few sessions"
    assert "svg" not in html


def test_rate_of_nothing_is_a_dash():
    assert text(render("{% rate 0 0 %}")) == "–"


@pytest.mark.parametrize(("whole", "few"), [(0, False), (1, True), (4, True), (5, False)])
def test_few_begins_below_five(whole, few):
    assert Rate(0, whole).few is few


# components


def test_stat_links_its_figure_and_says_how_it_moved():
    html = render(
        '{% stat metric 888 before=816 since="to the 30 days before" href="/sessions/" %}', metric=MEDIAN
    )
    assert text(html) == "Median duration 14.8 min ▲ up 1.2 min , worse to the 30 days before"
    assert '<a class="figure" href="/sessions/"' in html


def test_stat_without_a_figure_has_no_link_and_nothing_to_compare():
    html = render(
        '{% stat metric None before=None since="to the day before" href="/sessions/" %}', metric=MEDIAN
    )
    assert text(html) == "Median duration – nothing to compare with"
    assert "/sessions/" not in html


def test_stat_of_a_rate_explains_its_certainty():
    html = render(
        "{% rate_of 8 10 as rate %}{% stat metric rate.value rate=rate about='/m' %}", metric=RESOLUTION
    )
    assert "8 of 10; 95 % interval 49.0 – 94.3 %." in html
    assert 'aria-label="Resolution rate: how it is computed"' in html


def test_stat_of_a_rate_from_few_sessions_is_grey():
    html = render(
        '{% rate_of 3 4 as rate %}{% stat metric rate.value before=1 since="to the day before" rate=rate %}',
        metric=RESOLUTION,
    )
    assert "3 of 4" in text(html)
    assert "too few sessions" in text(html)
    assert "75" not in html
    assert "delta" not in html


def test_stat_does_not_judge_a_change_from_few_sessions():
    html = render(
        '{% rate_of 8 10 as rate %}{% stat metric rate.value before=1 since="…" rate=rate few_before=True %}',
        metric=RESOLUTION,
    )
    assert "20.0 points" in html
    assert "worse" not in html


def test_csat_says_how_many_rated():
    html = render("{% csat mean 61 187 label='of these sessions' %}", mean=Decimal("4.36"))
    assert text(html).startswith("4.4 n = 61 · 32.6 %")
    assert "Engineers' own rating of these sessions" in html.replace("&#x27;", "'")
    assert text(render("{% csat None 0 0 %}")) == "– no rating"


def test_text_is_escaped():
    assert "<b>" not in render("{% badge name %}{% pagehead name %}{% endpagehead %}", name="<b>x</b>")
    assert "<b>" not in render("{% table name %}<tbody></tbody>{% endtable %}", name="<b>x</b>")


def test_figure_carries_chart_sentence_and_data():
    html = render(
        '{% figure chart "trend" title="Sessions per day" summary="3 sessions." columns=columns rows=rows %}',
        chart={"data": [{"y": [1, 2], "name": "</script>"}]},
        columns=[("day", "Day", "day"), ("rate", "Rate", "share")],
        rows=[{"day": date(2016, 3, 5), "rate": Decimal("0.5")}, {"day": date(2016, 3, 6), "rate": None}],
    )
    assert 'data-figure="figure-trend-json" role="img" aria-label="3 sessions."' in html
    assert '<script id="figure-trend-json" type="application/json">' in html
    assert html.count("</script>") == 1
    assert "5 Mar 2016 50.0 % 6 Mar 2016 –" in text(html)


class Choice(forms.Form):
    client_id = forms.ChoiceField(
        choices=[("", "All clients"), ("1", "Kettle")], required=False, label="Client"
    )


def filters(query, *, period=None, **more):
    data = QueryDict(query)
    now = datetime(2026, 11, 21, 11, tzinfo=UTC)
    period = period or Period.of_days(30, now=now, tz=LONDON)
    form = Choice(data)
    arguments = " ".join(f"{name}={name}" for name in more)
    return render(
        f'{{% filters form period query action="/analytics/" target="#tab" {arguments} %}}',
        form=form,
        period=period,
        query=data,
        **more,
    )


def test_filters_keep_what_they_do_not_set():
    html = filters("period=30d&client_id=1&status=active&status=resolved&after=x")
    assert 'href="/analytics/?client_id=1&amp;status=active&amp;status=resolved&amp;period=7d"' in html
    assert "after" not in html
    # the form of the selects names the period and the rest, not the client twice
    selects = html.split("<form")[1].split("</form>")[0]
    assert '<input type="hidden" name="period" value="30d">' in selects
    assert selects.count('name="status"') == 2
    assert '<input type="hidden" name="client_id"' not in selects


def test_filters_mark_the_period_shown():
    html = filters("")
    current = [piece.split(">")[1].split("<")[0] for piece in html.split('aria-current="true"')[1:]]
    assert len(current) == 1
    assert text(html.split('aria-current="true"')[1].split("</a>")[0].split(">", 1)[1]) == "30 days"


def test_filters_name_a_custom_range():
    period = Period(date(2026, 10, 1), date(2026, 10, 9), LONDON, datetime(2026, 11, 21, 11, tzinfo=UTC))
    html = filters("from=2026-10-01&to=2026-10-09&client_id=1", period=period)
    assert "1 Oct 2026 – 9 Oct 2026" in text(html)
    assert 'name="from" value="2026-10-01" max="2026-11-21"' in html


def test_filters_offer_all_time_where_it_is_a_choice():
    assert "All time" not in filters("")
    assert "period=all" in filters("", whole_time=False)


def test_form_field_names_help_and_errors():
    class Rename(forms.Form):
        name = forms.CharField(help_text="As the team says it.")

    html = render(
        '{% include "components/field.html" with field=form.name only %}', form=Rename({"name": ""})
    )
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_timeline_marks_what_was_taken_back():
    entries = [
        SimpleNamespace(at=None, title="Restart", answer="Done", note="", undone=True, taken_over=False)
    ]
    html = render(
        '{% include "components/timeline.html" with entries=entries tz=tz only %}', entries=entries, tz=LONDON
    )
    assert text(html) == "Restart Done taken back"


def test_an_email_address_breaks_after_its_at_and_stays_escaped():
    html = render("{{ email|breakable }}", email='"<b>"@mail.example')
    assert html == "&quot;&lt;b&gt;&quot;@<wbr>mail.example"
