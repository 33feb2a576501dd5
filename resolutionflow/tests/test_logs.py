import json
import logging
import sys

import pytest
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path

from resolutionflow.logs import JsonFormatter


def record(**attributes):
    return logging.makeLogRecord(
        {"name": "a.logger", "levelname": "INFO", "msg": "Read %s", "args": ("it",)} | attributes
    )


def formatted(**attributes):
    line = JsonFormatter().format(record(**attributes))
    assert "\n" not in line
    return json.loads(line)


def test_a_record_is_one_line_of_json():
    assert formatted(created=0.25) == {
        "time": "1970-01-01T00:00:00.250+00:00",
        "level": "INFO",
        "logger": "a.logger",
        "message": "Read it",
    }


def test_extra_joins_but_replaces_nothing():
    entry = formatted(rows=3, level="mine", request=object())
    assert entry["rows"] == 3
    assert entry["level"] == "INFO"
    assert "request" not in entry


def test_an_exception_keeps_its_traceback():
    try:
        raise ValueError("bad\nvalue")
    except ValueError:
        entry = formatted(exc_info=sys.exc_info())
    assert entry["exception"].startswith("Traceback")
    assert entry["exception"].endswith("ValueError: bad\nvalue")


urlpatterns = [
    path("plain/", lambda request: HttpResponse("plain")),
    path("reset/<str:user>/<str:key>/", lambda request, user, key: HttpResponse("reset")),
]


@pytest.fixture
def visit(client, caplog):
    def visit(url, **headers):
        middleware = ["resolutionflow.logs.RequestLogMiddleware"]
        with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware), caplog.at_level(logging.INFO):
            client.handler._middleware_chain = None
            response = client.get(url, headers=headers)
        (entry,) = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
        return response, entry

    return visit


def test_a_request_is_logged_without_its_query(visit):
    response, entry = visit("/plain/?token=secret")
    assert entry["message"] == "GET /plain/ 200"
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/plain/", 200)
    assert entry["request_id"] == response["X-Request-ID"]
    assert "secret" not in json.dumps(entry)
    assert "user_id" not in entry


def test_a_key_in_the_path_is_not_logged(visit):
    _, entry = visit("/reset/me/c4f-secret/")
    assert entry["path"] == "/reset/me/-/"


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-12345", True), ("short", False), ("bad id with spaces", False)]
)
def test_a_sound_request_id_is_taken_over(visit, given, kept):
    response, _ = visit("/plain/", **{"X-Request-ID": given})
    assert (response["X-Request-ID"] == given) is kept
