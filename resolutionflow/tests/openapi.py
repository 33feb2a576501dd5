"""The API as its own document describes it, called with whatever that document allows, and with what it does not."""

from collections.abc import Iterator
from contextlib import contextmanager

import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from schemathesis.checks import CHECKS as ALL_CHECKS
from schemathesis.checks import load_all_checks

from resolutionflow.wsgi import application

load_all_checks()
CHECKS = [
    ALL_CHECKS.get_one(name)
    for name in (
        *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
        *("response_headers_conformance", "response_schema_conformance"),
    )
]


@contextmanager
def described_api() -> Iterator[schemathesis.BaseSchema]:
    """The document, whose cases may be called inside a test's transaction."""
    # Around a request Django closes a connection with an open transaction, which here is the test's own.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
