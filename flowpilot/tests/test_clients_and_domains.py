"""Clients and domains in the settings: listed, added, renamed, merged, and deleted where nothing refers to them."""

import threading

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from flowpilot.clients_and_domains.kinds import referring
from flowpilot.models import Client, Domain, Flow, Session
from flowpilot.tests.factories import ClientFactory, DomainFactory, FlowFactory, SessionFactory
from resolutionflow.models import AuditEntry
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, TeamAdminFactory, UserFactory
from resolutionflow.tests.pages import listed, read

HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }} %_"""
KINDS = [
    pytest.param("client", Client, ClientFactory, id="client"),
    pytest.param("domain", Domain, DomainFactory, id="domain"),
]
each = pytest.mark.parametrize(("noun", "model", "factory"), KINDS)


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def url(noun, entry=None, act=""):
    return f"/settings/{noun}s/" + (f"{entry.id}/" if entry else "") + act


def rows(page, noun):
    return page.one("table", class_="table").rows()


def said(page):
    return page.one("div", class_="toasts").text


def acts():
    return [(entry.action, entry.object, entry.detail) for entry in AuditEntry.objects.order_by("at", "id")]


@each
def test_they_are_team_admins_business(client, engineer, noun, model, factory):
    entry = factory()
    addresses = [
        url(noun), url(noun, act="add/"), url(noun, entry), url(noun, entry, "merge/"), url(noun, entry, "delete/")
    ]  # fmt: skip
    for address in addresses:
        assert client.get(address).headers["Location"].startswith("/accounts/login/?next=")
    client.force_login(engineer)
    for address in addresses:
        for response in (client.get(address), client.post(address, {"name": "New", "into": entry.id})):
            assert response.status_code == 403 or (response.status_code == 405 and address == url(noun))
            assert not response.content or "kept by team admins" in read(response).text
    assert model.objects.get() == entry


@each
def test_a_stranger_finds_none_of_them(client, stranger, account, noun, model, factory):
    entry, other = factory(name="Ours"), factory(name="Ours too")
    with account_scope(stranger.account):
        theirs = factory(name="Theirs")
    client.force_login(stranger)
    page = read(client.get(url(noun)))
    assert [row[0] for row in rows(page, noun)] == ["Theirs"]
    assert client.get(url(noun, entry)).status_code == 404
    assert client.post(url(noun, entry), {"name": "Taken over"}).status_code == 404
    assert client.post(url(noun, entry, "merge/"), {"into": other.id}).status_code == 404
    assert client.post(url(noun, entry, "delete/")).status_code == 404
    assert client.get(url(noun, theirs, f"merge/?into={entry.id}")).status_code == 404
    assert client.post(url(noun, theirs, "merge/"), {"into": entry.id}).status_code == 404
    assert sorted(model.objects.values_list("name", flat=True)) == ["Ours", "Ours too"]


@each
def test_a_number_is_the_length_of_its_list(lead, engineer, colleague, noun, model, factory):
    busy = factory(name="busy")
    factory(name="Idle")
    for user in (engineer, colleague, engineer):
        SessionFactory(user=user, **{noun: busy})
    SessionFactory(user=engineer)
    table = read(lead.get(url(noun))).one("table", class_="table")
    assert [row[0] for row in table.rows()] == ["busy", "Idle"]
    assert [row[-1] for row in table.rows()] == ["3", "0"]
    links = table.all("a", class_="figure")
    assert [link.text for link in links] == ["3"]
    assert listed(read(lead.get(links[0].href)))[0] == 3
    page = read(lead.get(url(noun, busy)))
    assert listed(read(lead.get(page.one("a", class_="figure").href)))[0] == 3


def test_domains_say_how_many_flows_they_have(lead):
    domain = DomainFactory(name="Email")
    FlowFactory(domain=domain)
    FlowFactory(domain=domain, status="archived")
    assert rows(read(lead.get(url("domain"))), "domain") == [["Email", "2", "0"]]


@each
def test_one_or_two_hundred_cost_the_same_queries(lead, engineer, noun, model, factory):
    counts = []
    for number in (1, 199):
        for entry in [factory() for _ in range(number)]:
            SessionFactory(user=engineer, **{noun: entry})
        with CaptureQueriesContext(connection) as queries:
            lead.get(url(noun))
        counts.append(len(queries))
    assert counts[0] == counts[1]


@each
def test_pages_and_search(lead, noun, model, factory):
    for number in range(60):
        factory(name=f"Name {number:02}")
    factory(name="50 % of_it")
    first = read(lead.get(url(noun)))
    assert first.one("nav", class_="pagination").one("p").text == f"1 – 50 of 61 {noun}s"
    assert len(rows(first, noun)) == 50
    second = read(lead.get(first.one("a", rel="next").href))
    assert [row[0] for row in rows(second, noun)] == [f"Name {number}" for number in range(49, 60)]
    assert rows(read(lead.get(second.one("a", rel="prev").href)), noun) == rows(first, noun)
    found = read(lead.get(url(noun), {"q": "% OF_"}))
    assert [row[0] for row in rows(found, noun)] == ["50 % of_it"]
    assert not found.all("nav", class_="pagination")
    assert "Nothing found" in read(lead.get(url(noun), {"q": "<b>"})).one("div", class_="empty").text
    assert "at most 200" in read(lead.get(url(noun), {"q": "x" * 201})).one("div", class_="notice").text
    for page in ("0", "-1", "3", "9" * 5000, "x", "1e400", "\0"):
        assert lead.get(url(noun), {"page": page}).status_code == 404
    assert lead.get(url(noun), {"q": "\0"}).status_code == 200


@each
def test_one_is_added(lead, noun, model, factory):
    page = read(lead.post(url(noun, act="add/"), {"name": f"  {HOSTILE} \n"}, follow=True))
    assert model.objects.get().name == HOSTILE
    assert rows(page, noun)[0][0] == HOSTILE
    assert said(page) == f"{HOSTILE} is added."
    assert acts() == [(f"{noun}.added", HOSTILE, {})]
    page = read(lead.get(url(noun, model.objects.get())))
    assert page.one("input", name="name").attributes["value"] == HOSTILE


@each
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "This field is required."),
        (" \t\n", "This field is required."),
        ("x" * 201, "at most 200 characters"),
        ("a\0b", "Null characters are not allowed."),
        ("HARBOUR   dental", "with this name exists already."),
    ],
)
def test_a_name_that_cannot_be(lead, noun, model, factory, name, words):
    factory(name="Harbour Dental")
    mill = factory(name="Mill Lane")
    for address in (url(noun, act="add/"), url(noun, mill)):
        response = lead.post(address, {"name": name})
        assert response.status_code == 422
        page = read(response)
        assert words in page.one("div", class_="field-errors").text
        assert page.one("nav", class_="breadcrumb").text.startswith(f"{noun.capitalize()}s")
    assert page.one("main").all("section", class_="card")[0].one("h2").text == "Mill Lane"
    assert sorted(model.objects.values_list("name", flat=True)) == ["Harbour Dental", "Mill Lane"]
    assert acts() == []


@each
def test_the_name_of_another_account_is_free(lead, other_account, noun, model, factory):
    with account_scope(other_account):
        factory(name="Harbour Dental")
    lead.post(url(noun, act="add/"), {"name": "Harbour Dental"})
    assert model.objects.get().name == "Harbour Dental"


@each
def test_one_is_renamed(lead, engineer, noun, model, factory):
    entry = factory(name="harbour")
    session = SessionFactory(user=engineer, **{noun: entry})
    page = read(lead.post(url(noun, entry), {"name": "Harbour"}, follow=True))  # only its case
    assert rows(page, noun)[0][0] == "Harbour"
    session.refresh_from_db()
    assert getattr(session, noun).name == "Harbour"
    assert acts() == [(f"{noun}.changed", "Harbour", {"name": ["harbour", "Harbour"]})]
    lead.post(url(noun, entry), {"name": "Harbour"})
    assert len(acts()) == 1  # nothing changed


def test_a_client_has_its_id_in_the_psa(lead):
    client = ClientFactory(name="Harbour")
    lead.post(url("client", client), {"name": "Harbour", "psa_company_id": " 4711 "})
    client.refresh_from_db()
    assert client.psa_company_id == "4711"
    assert acts() == [("client.changed", "Harbour", {"psa_company_id": [None, "4711"]})]
    lead.post(url("client", client), {"name": "Harbour", "psa_company_id": ""})
    client.refresh_from_db()
    assert client.psa_company_id is None
    assert lead.post(url("client", client), {"name": "H", "psa_company_id": "x" * 101}).status_code == 422


@each
def test_a_merge_says_what_moves_and_moves_it(lead, engineer, account, noun, model, factory):
    source, target = factory(name="Harbor"), factory(name="Harbour Dental")
    SessionFactory(user=engineer, **{noun: target})
    for _ in range(2):
        SessionFactory(user=engineer, **{noun: source})
    way = read(lead.get(url(noun, source))).one("form", method="get", action=url(noun, source, "merge/"))
    assert [option.text for option in way.all("option")] == ["Choose…", "Harbour Dental"]

    page = read(lead.get(url(noun, source, "merge/"), {"into": target.id}))
    assert "Merge “Harbor” into “Harbour Dental”?" in page.text
    assert "Sessions that move2" in page.text
    assert "cannot be undone" in page.text
    assert model.objects.count() == 2  # a GET changes nothing
    confirm = page.one("main").one("form", method="post")
    assert confirm.attributes["action"] == url(noun, source, "merge/")
    assert confirm.one("input", name="into").attributes["value"] == str(target.id)

    page = read(lead.post(url(noun, source, "merge/"), {"into": target.id}, follow=True))
    assert said(page) == "Harbor is part of Harbour Dental now: 2 sessions moved."
    assert model.objects.get() == target
    assert Session.objects.filter(**{noun: target}).count() == 3
    detail = {"into": "Harbour Dental", "sessions": 2, "flows": 0}
    assert acts() == [(f"{noun}.merged", "Harbor", detail)]
    assert lead.get(url(noun, source)).status_code == 404
    assert lead.post(url(noun, source, "merge/"), {"into": target.id}).status_code == 404


def test_flows_move_with_their_domain(lead):
    source, target = DomainFactory(name="Mail"), DomainFactory(name="Email")
    flows = [FlowFactory(domain=source), FlowFactory(domain=source, status="archived")]
    page = read(lead.get(url("domain", source, "merge/"), {"into": target.id}))
    assert "Flows that move2" in page.text
    lead.post(url("domain", source, "merge/"), {"into": target.id})
    assert set(Flow.objects.filter(domain=target)) == set(flows)


def test_whatever_refers_to_them_is_known():
    assert set(referring(Client)) >= {(Session, "client")}
    assert set(referring(Domain)) >= {(Session, "domain"), (Flow, "domain")}


@pytest.mark.parametrize(("had", "has"), [(None, "4711"), ("815", "815")])
def test_a_merged_client_brings_its_id_where_none_was(lead, had, has):
    source, target = ClientFactory(psa_company_id="4711"), ClientFactory(psa_company_id=had)
    lead.post(url("client", source, "merge/"), {"into": target.id})
    assert Client.objects.get().psa_company_id == has


@each
def test_merging_into_nothing_or_itself(lead, noun, model, factory):
    entry = factory(name="Harbour")
    for into, words in [
        ("", f"Choose the {noun} that stays."),
        (str(entry.id), "Choose another one than itself."),
        ("x", "Choose one."),
        ("\0", "Choose one."),
    ]:
        response = lead.post(url(noun, entry, "merge/"), {"into": into})
        assert response.status_code == 422
        assert words in read(response).one("div", class_="field-errors").text
        assert lead.get(url(noun, entry, "merge/"), {"into": into}).status_code == 200
    assert lead.get(url(noun, entry, "merge/")).status_code == 200
    assert (
        lead.post(url(noun, entry, "merge/"), {"into": "01a1fe73-7f6b-79d2-99d7-83b9a3e170b8"}).status_code
        == 404
    )
    assert model.objects.get() == entry


@each
def test_only_what_nothing_refers_to_can_be_deleted(lead, engineer, noun, model, factory):
    entry = factory(name="Harbour")
    page = read(lead.get(url(noun, entry)))
    assert [button.text for button in page.all("button", class_="danger")] == [f"Delete {noun}"]
    assert lead.get(url(noun, entry, "delete/")).status_code == 405

    session = SessionFactory(user=engineer, **{noun: entry})
    assert not read(lead.get(url(noun, entry))).all("button", class_="danger")
    page = read(lead.post(url(noun, entry, "delete/"), follow=True))
    assert said(page) == f"Harbour is in use by now. Merge it into another {noun} instead."
    assert model.objects.get() == entry

    session.delete()
    page = read(lead.post(url(noun, entry, "delete/"), follow=True))
    assert said(page) == "Harbour is deleted."
    assert not model.objects.exists()
    assert acts() == [(f"{noun}.deleted", "Harbour", {})]


def test_a_domain_with_flows_only_is_in_use(lead):
    domain = DomainFactory()
    FlowFactory(domain=domain, status="archived")
    lead.post(url("domain", domain, "delete/"))
    assert Domain.objects.exists()


@each
def test_without_any_there_is_a_word_for_it(lead, noun, model, factory):
    assert "None yet" in read(lead.get(url(noun))).one("div", class_="empty").text


# Several people at once.


@pytest.fixture
def crowd(transactional_db):
    account = AccountFactory(name="Northgate IT", slug="northgate")
    with account_scope(account):
        yield account, TeamAdminFactory(account=account), UserFactory(account=account)


def at_once(*calls):
    barrier, results = threading.Barrier(len(calls)), []

    def run(call):
        barrier.wait()
        try:
            results.append(call())
        except IntegrityError as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def posting(user, address, data):
    def post():
        browser = Browser()
        browser.force_login(user)
        return browser.post(address, data).status_code

    return post


@each
def test_sessions_that_start_while_it_is_merged(crowd, noun, model, factory):
    account, lead, engineer = crowd
    source, target = factory(name="Harbor"), factory(name="Harbour")

    def start():
        made = 0
        with account_scope(account):
            for _ in range(30):
                try:
                    with transaction.atomic():
                        SessionFactory(user=engineer, account=account, **{f"{noun}_id": source.id})
                    made += 1
                except IntegrityError:  # it is gone by now
                    return made
        return made

    made = at_once(start, start, start, posting(lead, url(noun, source, "merge/"), {"into": target.id}))
    assert 302 in made
    assert model.objects.get() == target
    assert Session.objects.filter(**{noun: target}).count() == Session.objects.count() == sum(made) - 302


@each
def test_two_merged_into_each_other_at_once(crowd, noun, model, factory):
    _, lead, engineer = crowd
    one, two = factory(name="One"), factory(name="Two")
    for entry in (one, two):
        SessionFactory(user=engineer, **{noun: entry})
    answers = at_once(
        posting(lead, url(noun, one, "merge/"), {"into": two.id}),
        posting(lead, url(noun, two, "merge/"), {"into": one.id}),
    )
    assert sorted(answers) == [302, 404]
    assert Session.objects.filter(**{noun: model.objects.get()}).count() == 2


@each
def test_the_same_name_added_twice_at_once(crowd, noun, model, factory):
    _, lead, _ = crowd
    data = {"name": "Harbour"}
    answers = at_once(*[posting(lead, url(noun, act="add/"), data) for _ in range(4)])
    assert sorted(answers) == [302, 422, 422, 422]
    assert model.objects.count() == 1


@each
def test_renamed_while_it_is_merged(crowd, noun, model, factory):
    _, lead, _ = crowd
    source, target = factory(name="Harbor"), factory(name="Harbour")
    answers = at_once(
        posting(lead, url(noun, source), {"name": "Port"}),
        posting(lead, url(noun, source, "merge/"), {"into": target.id}),
    )
    assert 302 in answers
    assert set(answers) <= {302, 404}
    assert model.objects.get() == target
