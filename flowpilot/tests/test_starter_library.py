"""Copying flows of the starter library into an account, and writing a new one."""

from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client

from flowpilot.flows import copying
from flowpilot.flows.library import starter_library
from flowpilot.models import Domain, Flow, FlowDraft, FlowVersion, Step
from flowpilot.tests.factories import DomainFactory, FlowFactory
from resolutionflow.models import AuditEntry
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, TeamAdminFactory, UserFactory
from resolutionflow.tests.pages import read

URL = "/flows/starter/"
NEW = "/flows/new/"
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""
SLOW, VPN = "computer-is-slow", "vpn-does-not-connect"


@pytest.fixture(autouse=True)
def _today(clock):
    clock(NOW)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def said(page):
    return page.one("div", class_="toasts").text


@pytest.mark.parametrize("address", [URL, NEW, f"{URL}{SLOW}/"])
def test_it_is_for_authors(client, account, engineer, address):
    assert client.get(address).status_code == 302
    client.force_login(engineer)
    refused = client.get(address)
    assert refused.status_code == 403
    assert "You may run flows but not write them." in refused.content.decode()
    assert client.post(address, {"flow": SLOW, "how": "published"}).status_code in (403, 405)
    assert not Flow.objects.exists()
    client.force_login(UserFactory(account=account, can_author=True))
    assert client.get(address).status_code == 200


def test_the_flows_of_the_library_by_domain(lead):
    page = read(lead.get(URL))
    assert len(page.all("input", type="checkbox")) == len(starter_library()) == 30
    assert [
        legend.one("span", class_="domain").text for legend in page.all("legend", class_="domain-head")
    ] == [
        "Active Directory",
        "Backup",
        "Endpoints",
        "Microsoft 365",
        "Network",
        "Printing",
        "Telephony",
        "VPN",
    ]


def test_words_are_looked_for_in_names_and_steps_and_what_is_ticked_stays(lead):
    def shown(query):
        page = read(lead.get(f"{URL}?{query}"))
        boxes = page.all("input", type="checkbox")
        return [box.attributes["value"] for box in boxes], [
            box.attributes["value"] for box in boxes if "checked" in box.attributes
        ]

    assert shown("q=VPN")[0][-3:] == [
        "vpn-connects-but-nothing-reachable",
        "vpn-does-not-connect",
        "vpn-slow-or-drops",
    ]
    assert SLOW not in shown("q=VPN")[0]  # a step of it mentions one
    assert "account-keeps-locking-out" in shown("q=LOCKED+event+4740")[0]  # only in a step
    assert shown(f"q=vpn+CONNECT+nowhere-at-all&flow={SLOW}") == ([SLOW], [SLOW])
    page = read(lead.get(f"{URL}?q=nowhere-at-all%00"))
    assert "No flow of the starter library has all of these words" in page.one("main").text
    assert page.one("input", name="q").attributes["value"] == "nowhere-at-all"
    assert lead.post(f"{URL}?q=vpn", {"flow": [], "how": "drafts"}).status_code == 422


def test_a_preview_shows_the_steps(lead):
    flow = next(flow for flow in starter_library() if flow.slug == SLOW)
    page = read(lead.get(f"{URL}{SLOW}/"))
    assert page.one("h1").text == flow.name
    steps = page.one("ol", class_="steps-brief")
    assert flow.structure["title"] in steps.text
    for link in steps.all("a"):
        assert page.one(id=link.href.removeprefix("#"))
    panel = read(lead.get(f"{URL}{SLOW}/", headers={"HX-Request": "true"}))
    assert panel.one("ol", class_="steps-brief").text == steps.text
    assert lead.get(f"{URL}nothing/").status_code == 404


def test_copied_and_published(lead, team_admin, account):
    DomainFactory(name="vpn")  # whatever its capitals, it is the one
    answer = lead.post(URL, {"flow": [SLOW, VPN], "how": "published"})
    assert (answer.status_code, answer["Location"]) == (302, "/flows/")
    assert "2 flows are copied and published." in said(read(lead.get("/flows/")))
    slow = Flow.objects.get(name="Computer is slow")
    template = next(flow for flow in starter_library() if flow.slug == SLOW)
    assert (slow.status, slow.origin, slow.created_by) == ("published", "manual", team_admin)
    assert (slow.description, slow.domain.name) == (template.description, "Endpoints")
    assert slow.current_version.structure == template.structure
    assert (slow.current_version.number, slow.current_version.published_at) == (1, NOW)
    assert Step.objects.filter(flow=slow).exists()
    assert not FlowDraft.objects.exists()
    assert sorted(Domain.objects.values_list("name", flat=True)) == ["Endpoints", "vpn"]
    entry = AuditEntry.objects.get(action="flow.copied")
    assert (entry.actor, entry.account) == (team_admin, account)
    assert entry.detail == {"flows": ["Computer is slow", "VPN does not connect"], "published": True}


def test_copied_as_a_draft(lead):
    lead.post(URL, {"flow": SLOW, "how": "drafts"})
    flow = Flow.objects.get()
    assert (flow.status, flow.current_version) == ("draft", None)
    assert flow.draft.structure["title"]
    assert "1 flow is copied as a draft." in said(read(lead.get("/flows/")))
    assert AuditEntry.objects.get(action="flow.copied").detail["published"] is False


def test_a_name_that_is_there_is_left_out_and_said_so(lead):
    FlowFactory(name="COMPUTER IS SLOW", status="draft")
    FlowFactory(name="VPN does not connect", status="archived")
    page = read(lead.get(URL))
    assert [
        box.attributes["value"] for box in page.all("input", type="checkbox") if "disabled" in box.attributes
    ] == [SLOW]
    lead.post(URL, {"flow": [SLOW, VPN], "how": "published"})
    words = said(read(lead.get("/flows/")))
    assert "1 flow is copied and published." in words
    assert "Left out, because your library has a flow of that name already: Computer is slow." in words
    assert Flow.objects.filter(name="VPN does not connect", status="published").exists()
    assert Flow.objects.count() == 3


def test_sent_twice_it_copies_once(lead):
    for _ in range(2):
        lead.post(URL, {"flow": [SLOW, VPN], "how": "published"})
    assert (Flow.objects.count(), FlowVersion.objects.count()) == (2, 2)
    assert AuditEntry.objects.filter(action="flow.copied").count() == 1


@pytest.mark.django_db(transaction=True)
def test_sent_twice_at_the_same_moment_it_copies_once():
    account = AccountFactory()
    lead, start = TeamAdminFactory(account=account), Barrier(2)
    answers = []

    def click():
        browser = Client()
        browser.force_login(lead)
        start.wait()
        answers.append(browser.post(URL, {"flow": [SLOW, VPN], "how": "published"}).status_code)
        connection.close()

    clicks = [Thread(target=click) for _ in range(2)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join(timeout=30)
    assert answers == [302, 302]
    with account_scope(account):
        assert (Flow.objects.count(), FlowVersion.objects.count()) == (2, 2)


def test_all_thirty_can_be_copied(lead):
    lead.post(URL, {"flow": [flow.slug for flow in starter_library()], "how": "published"})
    assert Flow.objects.filter(status="published").count() == 30
    page = read(lead.get(URL))
    assert "Your library has all of them." in page.one("main").text
    assert not page.all("button", class_="primary")


def test_the_copy_is_the_accounts_own(lead, other_account):
    lead.post(URL, {"flow": SLOW, "how": "published"})
    with account_scope(other_account):
        assert not Flow.objects.exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"how": "published"}, "Choose at least one flow."),
        ({"flow": "nothing", "how": "published"}, "The starter library has no such flow."),
        ({"flow": "\0", "how": "published"}, "The starter library has no such flow."),
        ({"flow": SLOW}, "This field is required."),
        ({"flow": SLOW, "how": "sideways"}, "sideways is not one of the available choices."),
    ],
)
def test_what_cannot_be_copied_is_said(lead, data, said):
    response = lead.post(URL, data)
    page = read(response)
    assert response.status_code == 422
    assert said in page.one("div", role="alert").text
    assert not Flow.objects.exists()
    kept = [box for box in page.all("input", type="checkbox") if "checked" in box.attributes]
    assert [box.attributes["value"] for box in kept] == ([SLOW] if data.get("flow") == SLOW else [])


def test_nothing_of_a_copy_that_fails_stays(lead, monkeypatch):
    def fails(*args, **options):
        raise RuntimeError("power cut")

    monkeypatch.setattr(copying.AuditEntry, "record", fails)
    with pytest.raises(RuntimeError):
        lead.post(URL, {"flow": SLOW, "how": "drafts"})
    assert not Flow.objects.exists()


# A new flow


def test_a_new_flow_leads_to_its_editor(lead, team_admin):
    data = {"name": " VPN  drops ", "description": "At home", "domain": "Network", "kind": "procedural"}
    answer = lead.post(NEW, data)
    flow = Flow.objects.get()
    assert answer["Location"] == f"/flows/{flow.id}/edit/"
    assert (flow.name, flow.description, flow.domain.name) == ("VPN drops", "At home", "Network")
    assert (flow.kind, flow.status, flow.created_by, flow.created_at) == (
        "procedural",
        "draft",
        team_admin,
        NOW,
    )
    assert flow.draft.revision == 1


def test_a_domain_that_is_there_is_taken(lead):
    domain = DomainFactory(name="Network")
    page = read(lead.get(NEW))
    assert [option.attributes["value"] for option in page.one("datalist").all("option")] == ["Network"]
    lead.post(NEW, {"name": "VPN", "domain": "NETWORK", "kind": "troubleshooting"})
    assert Flow.objects.get().domain == domain
    lead.post(NEW, {"name": "Other", "domain": "", "kind": "troubleshooting"})
    assert Flow.objects.get(name="Other").domain is None


def test_create_flow_of_a_domain_has_it_filled_in(lead, other_account):
    domain = DomainFactory(name="Printing <b>")
    with account_scope(other_account):
        foreign = DomainFactory()
    field = read(lead.get(NEW, {"domain_id": str(domain.id)})).one("input", name="domain")
    assert field.attributes["value"] == "Printing <b>"
    for given in (foreign.id, "nonsense", "\0"):
        assert lead.get(NEW, {"domain_id": str(given)}).status_code == 404


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "Name: This field is required."),
        ({"name": "vpn"}, "Name: A flow with this name exists already."),
        ({"name": "\u200b\n"}, "Name: This field is required."),
        ({"name": "x" * 301}, "Name: Ensure this value has at most 300 characters"),
        ({"name": "x\0"}, "Name: Null characters are not allowed."),
        (
            {"name": "x", "description": "x" * 2001},
            "Description: Ensure this value has at most 2000 characters",
        ),
        ({"name": "x", "domain": "x" * 201}, "Domain: Ensure this value has at most 200 characters"),
        ({"name": "x", "kind": "sideways"}, "Kind: Select a valid choice."),
    ],
)
def test_what_makes_no_flow_is_said_and_nothing_is_lost(lead, data, said):
    FlowFactory(name="VPN")
    response = lead.post(NEW, {"kind": "troubleshooting", "description": "Kept words"} | data)
    page = read(response)
    assert response.status_code == 422
    assert said in page.one("div", role="alert").text
    if "description" not in data:
        assert page.one("textarea", name="description").text == "Kept words"
    assert Flow.objects.count() == 1
    assert not Domain.objects.exists()


def test_texts_are_text_whatever_is_in_them(lead):
    lead.post(NEW, {"name": HOSTILE, "domain": HOSTILE, "kind": "troubleshooting"})
    response = lead.post(NEW, {"name": HOSTILE, "description": HOSTILE, "kind": "troubleshooting"})
    assert response.status_code == 422
    assert b"<script>alert" not in response.content
    assert read(response).one("input", name="name").attributes["value"] == HOSTILE


def test_the_name_of_an_archived_flow_is_free_again(lead):
    FlowFactory(name="VPN", status="archived")
    assert lead.post(NEW, {"name": "VPN", "kind": "troubleshooting"}).status_code == 302
