import functools
from io import BytesIO
from urllib.parse import parse_qs
from zipfile import ZipFile

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone

from resolutionflow.exports import XLSX_TYPE
from resolutionflow.tests.factories import SuperAdminFactory
from tests.isolation import houses
from tests.isolation.places import CHOOSE, SIGN_IN


@pytest.fixture(autouse=True)
def _no_sign_ins_before():
    """The limits of sign-in count in the cache, over all tests."""
    cache.clear()


@pytest.fixture
def north(db):
    return houses.build("NORTHMARK", now=timezone.now())


@pytest.fixture
def south(db):
    return houses.build("SOUTHMARK", now=timezone.now())


@pytest.fixture
def as_viewer(north):
    """A browser of one of `places.VIEWERS`, at home in the northern account."""
    root = SuperAdminFactory(name="Robin Root", email="root@installation.example")

    def browser(viewer, account=north.account):
        client = Client()
        if viewer in ("engineer", "colleague", "team_admin"):
            client.force_login(getattr(north, viewer))
        elif viewer != "anonymous":
            client.force_login(root)
        if viewer == "super_admin":
            client.post("/accounts/choose/", {"account": account.slug})
        return client

    return browser


def said(response):
    """The words of an answer; of a download those of the file."""
    if not response.streaming:
        return response.content.decode()
    file = response.getvalue()
    if response.headers["Content-Type"] != XLSX_TYPE:
        return file.decode()
    book = ZipFile(BytesIO(file))
    return "".join(book.read(name).decode() for name in book.namelist())


@pytest.fixture
def answers(as_viewer):
    """What a browser of the viewer that has only signed in gets for a path; what the visit writes is undone. `said` has
    its words."""
    signed_in = functools.cache(lambda viewer: as_viewer(viewer).cookies.output(header="", sep=";"))

    def ask(viewer, path, method="get", **kwargs):
        cookies = signed_in(viewer)
        with transaction.atomic():
            client = Client()
            client.cookies.load(cookies)
            response = getattr(client, method)(path, **kwargs)
            response.said = said(response)
            transaction.set_rollback(True)
        return response

    return ask


@pytest.fixture
def answer_of():
    """The status, or whereto a signed-out or undecided visitor was sent, to come back to the same path."""

    def answer(response, path):
        target, _, query = response.headers.get("Location", "").partition("?")
        sent = {"/accounts/login/": SIGN_IN, "/admin/login/": SIGN_IN, "/accounts/choose/": CHOOSE}.get(
            target
        )
        return sent if sent and parse_qs(query) == {"next": [path]} else response.status_code

    return answer
