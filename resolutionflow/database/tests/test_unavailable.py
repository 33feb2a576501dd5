import json
import re

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from resolutionflow.database import unavailable
from resolutionflow.database.health import health
from resolutionflow.database.unavailable import is_unavailable


def operational(cause):
    error = OperationalError("seen from Django")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        operational(psycopg.OperationalError("connection refused")),
        operational(psycopg.errors.AdminShutdown()),
        operational(psycopg.errors.CannotConnectNow()),
        operational(psycopg.errors.TooManyConnections()),
        operational(psycopg.errors.ConnectionFailure()),
        InterfaceError("connection already closed"),
    ],
)
def test_what_means_that_the_database_is_away(error):
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        operational(psycopg.errors.DeadlockDetected()),
        operational(psycopg.errors.QueryCanceled()),
        operational(psycopg.errors.DiskFull()),
        ValueError("bad"),
        None,
    ],
)
def test_what_is_an_error_of_the_request(error):
    assert not is_unavailable(error)


def broken(request):
    raise operational(psycopg.OperationalError("connection refused"))


def deadlocked(request):
    raise operational(psycopg.errors.DeadlockDetected())


urlpatterns = [
    path("page/", broken),
    path("api/v1/thing", broken),
    path("deadlock/", deadlocked),
    path("fine/", lambda request: HttpResponse("fine")),
    path("healthz", health),
]


def broken_middleware(get_response):
    def middleware(request):
        raise operational(psycopg.OperationalError("connection refused"))

    return middleware


@pytest.fixture
def visit(client):
    client.raise_request_exception = False
    middleware = ["resolutionflow.database.unavailable.DatabaseUnavailableMiddleware"]

    def visit(url, *more_middleware, **headers):
        with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[*middleware, *more_middleware]):
            client.handler._middleware_chain = None
            return client.get(url, headers=headers)

    return visit


def test_a_page_says_it_and_when_to_come_back(visit):
    response = visit("/page/")
    assert response.status_code == 503
    assert response["Retry-After"] == "10"
    assert "no-store" in response["Cache-Control"]
    page = response.content.decode()
    assert "The database is not available at the moment." in page
    assert 'href="/page/"' in page
    assert re.search(r'<link rel="stylesheet" href="/static/css/app[.\w]*css">', page)


def test_the_page_needs_no_static_files(visit, monkeypatch):
    def missing(name):
        raise ValueError(f"Missing staticfiles manifest entry for '{name}'")

    monkeypatch.setattr(unavailable, "static", missing)
    response = visit("/page/")
    assert response.status_code == 503
    assert b"stylesheet" not in response.content


def test_the_api_answers_with_json(visit):
    response = visit("/api/v1/thing")
    assert response.status_code == 503
    assert json.loads(response.content) == {
        "detail": "The database is not available at the moment. Please try again shortly."
    }


def test_htmx_gets_a_fragment(visit):
    response = visit("/page/", **{"HX-Request": "true"})
    assert response.status_code == 503
    assert b"<html" not in response.content
    assert b'role="alert"' in response.content


def test_an_error_in_another_middleware_counts_too(visit):
    response = visit("/fine/", f"{__name__}.broken_middleware")
    assert response.status_code == 503
    assert b"not available at the moment" in response.content


def test_other_database_errors_stay_errors(visit):
    assert visit("/deadlock/").status_code == 500


@pytest.mark.django_db
def test_health_with_the_database(visit):
    response = visit("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_health_without_it(visit, monkeypatch):
    def away():
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", away)
    response = visit("/healthz")
    assert (response.status_code, response.json()) == (503, {"status": "database unavailable"})
