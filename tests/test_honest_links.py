"""Every link of every page, for each role: it opens, and where it stands behind a number, it opens that many sessions.

The rule for templates: a link behind a figure has the class "figure". Either its text is the number of rows that it
opens, or its title says it: "1,234 sessions".
"""

import json
import re
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client
from django.urls import resolve

from flowpilot.models import Client as ClientOfMsp
from flowpilot.models import Domain, Flow, PsaConnection, Session
from flowpilot.sessions.filters import SessionFilterForm
from flowpilot.tests.factories import FlowProposalFactory, PsaPushFactory
from operations.demo.msp import cast, days, loading
from resolutionflow.models import Account, ApiToken, User
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import SuperAdminFactory
from resolutionflow.tests.pages import listed, read
from tests.isolation.places import PLACES

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ROLES = {"engineer": "engineer", "team_admin": "team_admin", "super_admin": "super_admin"}
NO_PAGES = ("/admin", "/api", "/healthz")
NUMBER = re.compile(r"[\d,]+")


@pytest.fixture
def demo(db, clock, monkeypatch):
    """The demo MSP with little work: all kinds of rows, and few enough to open each link."""
    clock(NOW)
    cache.clear()
    monkeypatch.setattr(days, "A_DAY", (2, 2))
    loading.load(None, password_hash=make_password("look-around"), now=NOW, progress=lambda *_: None)
    return Account.objects.get(slug=cast.SLUG)


def browser_of(role, account):
    client = Client()
    if role == "super_admin":
        client.force_login(SuperAdminFactory())
        client.post("/accounts/choose/", {"account": account.slug})
    else:
        email = loading.TEAM_ADMIN_EMAIL if role == "team_admin" else loading.ENGINEER_EMAIL
        client.force_login(User.objects.get(email=email))
    return client


def rows_of(account):
    """A row of each kind that has a page, as the addresses of `places` name them."""
    engineer = User.objects.get(email=loading.ENGINEER_EMAIL)
    lead = User.objects.get(email=loading.TEAM_ADMIN_EMAIL)
    with account_scope(account):
        session = Session.objects.filter(user=engineer, flow__steps__isnull=False).latest("started_at")
        return {
            "session": session,
            "step": session.flow.steps.earliest("node_id"),
            "client": ClientOfMsp.objects.earliest("name"),
            "flow": Flow.objects.filter(status=Flow.Status.PUBLISHED).earliest("name"),
            "domain": Domain.objects.earliest("name"),
            "flowproposal": FlowProposalFactory(
                structure=session.flow_version.structure, evidence={"sessions": [str(session.id)]}
            ),
            "psapush": PsaPushFactory(session=session, connection=PsaConnection.objects.get()),
            "user": engineer,
            "apitoken": ApiToken.issue(lead, "script")[0],
        }


def pages_of(role, rows):
    """The pages that the role may open."""
    for place in PLACES.values():
        for path in place.paths:
            if place.answers[role] == 200 and not path.startswith(NO_PAGES):
                yield path.format(**rows)


def links_of(page, address):
    """(address, number of rows that it promises or None, the text) of each link, those of charts too."""
    for link in page.all("a"):
        href = link.attributes.get("href")
        if href and not href.startswith("#"):
            yield urljoin(address, href), promised(link) if "figure" in link.classes else None, link.text
    for script in page.all("script", type="application/json"):
        for trace in json.loads("".join(script.children)).get("data", []):
            if "customdata" not in trace:  # stars, which lead nowhere
                continue
            # what is no number of sessions says theirs beside it
            counts = "x" if trace["type"] == "funnel" else "y"
            values = trace.get("text") or trace.get("values") or trace[counts]
            for href, value in zip(trace["customdata"], values, strict=True):
                if value and href:  # of nothing, and of colleagues' sessions, there is nothing to click
                    yield urljoin(address, href), value, f"{trace.get('name')} in the chart"


def promised(link):
    words = link.attributes.get("title") or link.text
    found = NUMBER.match(words)
    assert found, f"a figure that promises no number of rows: {link.text} {link.href}"
    return int(found[0].replace(",", ""))


class Visitor:
    """Opens what links lead to: of each route one with the same filters. Others differ in a row, a day or a value.
    A super admin is shown the same by the same code as a team admin: one of each route and names of filters will do.

    Of those, session lists are counted by the list's form, with which the one that was opened is compared. To open each
    would cost twenty times as much.
    """

    def __init__(self, client, account):
        self.client, self.account = client, account
        self.viewer = User.objects.get(pk=client.session["_auth_user_id"])
        self.seen = set()

    def opened(self, address):
        """What is wrong with the page, and how many sessions it lists (None if it is no list)."""
        parts = urlsplit(address)
        filters = QueryDict(parts.query)
        values = [filters[name] for name in ("help", "on", "period", "tab") if name in filters]
        kind = (resolve(parts.path).route, *sorted(filters), *([] if self.viewer.is_superuser else values))
        count = self.counted if parts.path == "/sessions/" else lambda _: ("", None)
        if kind in self.seen:
            return count(filters)
        self.seen.add(kind)
        found = self.asked_for(address)
        if not found[0] and found != (counted := count(filters)):
            return f"lists {found[1]}, its form counts {counted}", None
        return found

    def asked_for(self, address):
        response = self.client.get(address, follow=True)
        if response.streaming:
            assert b"".join(response.streaming_content)
        if response.status_code != 200:
            return f"answers {response.status_code}", None
        if urlsplit(address).path != "/sessions/":
            return "", None
        page = read(response)
        if page.all("div", role="alert"):
            return "refuses a filter", None
        return "", listed(page)[0]

    def counted(self, filters):
        with account_scope(self.account):
            form = SessionFilterForm(filters, viewer=self.viewer, account=self.account, now=NOW)
            count = form.sessions().count()
            return ("refuses a filter", None) if form.errors else ("", count)


@pytest.mark.parametrize("role", ROLES)
def test_each_link_opens_and_each_number_opens_that_many(role, demo):
    client = browser_of(role, demo)
    visitor = Visitor(client, demo)
    answers: dict[str, tuple[str, int | None]] = {}
    wrong, numbers = [], 0
    for address in pages_of(role, rows_of(demo)):
        response = client.get(address, follow=True)
        if response.streaming:  # a file; links lead there too
            list(response.streaming_content)
            continue
        if not response["Content-Type"].startswith("text/html"):
            continue
        for href, number, text in links_of(read(response), address):
            target = href.partition("#")[0]
            assert not urlsplit(target).netloc, f"{address} leads to another host: {href}"
            if target not in answers:
                answers[target] = visitor.opened(target)
            fault, count = answers[target]
            if number is not None:
                numbers += 1
                fault = fault or ("" if count == number else f"lists {count}, not {number}")
            if fault:
                wrong.append(f"{address}: “{text}” {href} {fault}")
    assert wrong == []
    assert numbers > 60
    assert len(answers) > 60
