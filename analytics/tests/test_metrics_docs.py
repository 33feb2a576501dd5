"""docs/metrics.md against what there is: nothing is shown that it does not define, and what it names exists."""

import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.http import QueryDict

from analytics.api import (
    AnalyticsSummary,
    OutcomeBreakdown,
    PersonalAnalytics,
    TeamAnalytics,
    TimeSeriesPoint,
    TopEngineer,
    TopFlow,
)
from flowpilot.metrics import SessionQuerySet
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.tests.factories import FlowFactory, SessionFactory
from ratings.metrics import RATINGS_OF_SESSIONS
from resolutionflow.models import Account, User
from resolutionflow.tests.pages import read

NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
TEXT = (settings.BASE_DIR / "docs" / "metrics.md").read_text(encoding="utf-8")
# Heading → text of each definition.
DEFINITIONS = {
    heading: text.partition("\n## ")[0]
    for heading, _, text in (section.partition("\n") for section in TEXT.split("\n### ")[1:])
}
BY_ITS_LIST = {"summary", "date", "sessions", "name", "user_id"}  # plain members of what is described


def form(query=""):
    return SessionFilterForm(QueryDict(query), viewer=User(), account=Account(), now=NOW)


def code(text):
    return re.findall(r"`([^`]+)`", text)


def opens(text):
    return text.partition("* Opens:")[2].partition("\n* ")[0]


@pytest.mark.parametrize(
    "metric",
    [*SessionQuerySet.metrics.values(), *RATINGS_OF_SESSIONS.values()],
    ids=lambda m: m.label,
)
def test_every_metric_is_defined(metric):
    told = " ".join(f"{heading} {text.partition(chr(10) + '* ')[0]}" for heading, text in DEFINITIONS.items())
    assert re.search(rf"\b{metric.label}\b", told, re.IGNORECASE)


@pytest.mark.parametrize(
    "schema",
    [
        *(TeamAnalytics, PersonalAnalytics, AnalyticsSummary),
        *(TopFlow, TopEngineer, TimeSeriesPoint, OutcomeBreakdown),
    ],
)
def test_every_field_of_the_answer_is_described(schema):
    fields = set(schema.model_fields) - BY_ITS_LIST
    if schema in (TimeSeriesPoint, OutcomeBreakdown):
        described = set(re.findall(r"\w+", DEFINITIONS["Outcomes"].lower()))
    else:
        described = {name for text in DEFINITIONS.values() for name in code(text)}
    assert fields - described == set()


@pytest.mark.parametrize("heading", DEFINITIONS)
def test_each_definition_asks_its_question_says_what_no_data_gives_and_what_it_opens(heading):
    text = DEFINITIONS[heading]
    assert re.match(r"\n\*[^*]+\?\*", text), "The question comes first"
    assert re.search(r"^\* (No|None|A day without)\b[^:]*: ", text, re.MULTILINE), "What no data gives"
    assert opens(text)


@pytest.mark.parametrize("heading", DEFINITIONS)
def test_what_a_figure_opens_are_filters_of_the_session_list(heading):
    name = None
    for words in code(opens(DEFINITIONS[heading])):
        if words in form().fields:
            name = words
            continue
        # "name=value", or one more value of the name before
        name, _, value = words.rpartition("=") if "=" in words else (name, "", words)
        assert name in form().fields
        assert form(f"{name}={value}").errors == {}


def test_the_filters_of_the_session_list_are_all_described():
    table = TEXT.partition("## The filters of the session list")[2]
    described = [name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in code(row)]
    assert sorted(described) == sorted(form().fields)


@pytest.mark.parametrize("address", ["/analytics/", "/analytics/me/"])
def test_the_mark_beside_each_figure_leads_to_its_definition(client, team_admin, clock, address):
    clock(NOW)
    SessionFactory(user=team_admin, started_at=NOW, flow=FlowFactory())
    client.force_login(team_admin)
    marks = [mark.href for mark in read(client.get(address)).all("a", class_="tip-mark")]
    assert len(marks) >= 7 if address.endswith("me/") else len(marks) >= 4
    definitions = read(client.get("/help/metrics/"))
    for href in marks:
        path, _, anchor = href.partition("#")
        assert path == "/help/metrics/"
        assert definitions.one("h3", id=anchor)
