"""The first wall: queries and rows keep to the account in scope."""

import asyncio
import threading

import pytest
from django.db import connection
from django.db.models import Count, Exists, FilteredRelation, OuterRef, Subquery
from django.db.models import prefetch_related_objects as prefetch
from django.test.utils import CaptureQueriesContext

from flowpilot.models import Client, Domain, Flow, Session, Step
from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
    StepFactory,
)
from ratings.models import SessionRating
from ratings.tests.factories import SessionRatingFactory, StepRatingFactory
from resolutionflow.tenancy import NoAccountInScope, account_scope, cross_account, current_account_id
from resolutionflow.tests.factories import AccountFactory


@pytest.fixture
def home(db):
    return AccountFactory(slug="home")


@pytest.fixture
def away(other_account):
    """A domain, a flow and a session of another account."""
    with account_scope(other_account):
        domain = DomainFactory(name="Away")
        flow = FlowFactory(name="Away flow", domain=domain)
        return SessionFactory(flow=flow, domain=domain)


QUERIES = {
    "all": lambda rows: list(rows.all()),
    "filter": lambda rows: rows.filter(name="x").exists(),
    "get": lambda rows: rows.get(name="x"),
    "first": lambda rows: rows.first(),
    "count": lambda rows: rows.count(),
    "none": lambda rows: rows.none(),
    "values": lambda rows: list(rows.values_list("name")),
    "aggregate": lambda rows: rows.aggregate(Count("pk")),
    "iterator": lambda rows: list(rows.iterator()),
    "in_bulk": lambda rows: rows.in_bulk(),
    "raw": lambda rows: list(rows.raw("SELECT * FROM flowpilot_domain")),
    "create": lambda rows: rows.create(name="x"),
    "get_or_create": lambda rows: rows.get_or_create(name="x"),
    "update_or_create": lambda rows: rows.update_or_create(name="x"),
    "bulk_create": lambda rows: rows.bulk_create([Domain(name="x")]),
    "bulk_update": lambda rows: rows.bulk_update([Domain(name="x")], ["name"]),
    "update": lambda rows: rows.update(name="x"),
    "delete": lambda rows: rows.all().delete(),
    "exclude": lambda rows: list(rows.exclude(flows__name="x")),
    "dates": lambda rows: list(rows.dates("flows__created_at", "day")),
    "union": lambda rows: list(rows.all().union(rows.all())),
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_no_query_without_a_scope(db, query):
    with pytest.raises(NoAccountInScope):
        query(Domain.objects)


def test_no_road_from_a_row_without_a_scope(home):
    with account_scope(home):
        flow = FlowFactory(domain=DomainFactory())
        version = FlowVersionFactory(flow=flow)
        session = SessionFactory(flow=flow)
        Flow.objects.filter(id=flow.id).update(current_version=version)
        flow, session = Flow.objects.get(id=flow.id), Session.objects.get(id=session.id)
    roads = [
        lambda: flow.domain,
        lambda: flow.current_version,
        lambda: list(flow.versions.all()),
        flow.steps.count,
        lambda: flow.steps.create(node_id="n", title="N"),
        lambda: session.rating,
        lambda: prefetch([flow], "steps"),
        lambda: prefetch([session], "flow"),
        flow.refresh_from_db,
        flow.save,
        flow.delete,
        flow.full_clean,
        Flow(name="new").save,
    ]
    for road in roads:
        with pytest.raises(NoAccountInScope):
            road()


def test_each_account_has_its_rows(account, other_account):
    ClientFactory(name="Ours")
    with account_scope(other_account):
        ClientFactory(name="Theirs")
        assert [client.name for client in Client.objects.all()] == ["Theirs"]
        assert Client.objects.get_or_create(name="Ours")[1] is True
    assert [client.name for client in Client.objects.all()] == ["Ours"]
    with cross_account():
        assert sorted(Client.objects.values_list("name", flat=True)) == ["Ours", "Ours", "Theirs"]


def test_a_row_of_another_account_is_neither_saved_nor_deleted_nor_read_again(account, away):
    for act in (away.save, away.delete, away.full_clean):
        with pytest.raises(NoAccountInScope, match="another account"):
            act()
    with pytest.raises(Session.DoesNotExist):
        away.refresh_from_db()
    with pytest.raises(NoAccountInScope):
        Session.objects.bulk_create([away])
    with account_scope(away.account):
        away.refresh_from_db()
        assert away.status == "resolved"


def test_nor_reached_by_what_takes_ids_or_rows(account, away):
    flow = Flow(id=away.flow_id, name="Taken over", account=account)
    assert Flow.objects.bulk_update([flow], ["name"]) == 0
    assert Flow.objects.filter(id=away.flow_id).update(name="Taken over") == 0
    assert Flow.objects.filter(id=away.flow_id).delete() == (0, {})
    assert Flow.objects.in_bulk([away.flow_id]) == {}
    assert not Flow.objects.contains(away.flow)
    with pytest.raises(Domain.DoesNotExist):
        _ = Flow(name="x", account=account, domain_id=away.domain_id).domain
    with account_scope(away.account):
        assert Flow.objects.get().name == "Away flow"


def test_the_account_of_a_row_never_changes(account, other_account):
    client = ClientFactory()
    with pytest.raises(ValueError, match="never changes"):
        Client.objects.update(account=other_account)
    with cross_account(), pytest.raises(ValueError, match="never changes"):
        Client.objects.bulk_update([client], ["account"])
    client.account = other_account
    with pytest.raises(NoAccountInScope):
        client.save()


def test_across_accounts_a_new_row_names_its_account(other_account):
    with cross_account():
        with pytest.raises(NoAccountInScope, match="Name the account"):
            Client.objects.create(name="Whose?")
        assert Client.objects.create(name="Theirs", account=other_account).account == other_account


def test_exclude_over_a_relation(account, away):
    guided, other = FlowFactory(name="A"), FlowFactory(name="B")
    StepFactory(flow=guided, node_id="root")
    StepFactory(flow=other, node_id="leaf")
    assert list(Flow.objects.exclude(steps__node_id="root")) == [other]
    assert list(Flow.objects.exclude(steps__isnull=False)) == []
    assert list(Step.objects.exclude(flow__name="A").values_list("node_id", flat=True)) == ["leaf"]
    assert list(Flow.objects.exclude(id__in=Step.objects.filter(node_id="root").values("flow"))) == [other]


def test_exclude_over_two_relations(account, away):
    up, down = (StepRatingFactory(was_helpful=helpful) for helpful in (True, False))
    assert list(Flow.objects.exclude(steps__ratings__was_helpful=True)) == [down.step.flow]
    assert list(Flow.objects.filter(steps__ratings__was_helpful=True)) == [up.step.flow]


def test_subqueries(account, away):
    rated, unrated = SessionFactory(), SessionFactory()
    SessionRatingFactory(session=rated, rating=5)
    stars = SessionRating.objects.filter(session=OuterRef("pk"), account=OuterRef("account"))
    rows = Session.objects.annotate(stars=Subquery(stars.values("rating")), rated=Exists(stars)).order_by(
        "id"
    )
    assert [(row, row.stars, row.rated) for row in rows] == [(rated, 5, True), (unrated, None, False)]
    assert Session.objects.filter(rating=None).get() == unrated


def test_prefetch_and_reverse_relations(account, away):
    rating = SessionRatingFactory()
    flow = FlowFactory()
    step = StepFactory(flow=flow)
    assert rating.session.rating == rating
    assert [list(found.steps.all()) for found in Flow.objects.prefetch_related("steps")] == [[step]]
    assert Session.objects.select_related("flow", "rating").get().rating == rating


def test_the_scope_ends_with_an_error(account, other_account):
    with pytest.raises(ZeroDivisionError), account_scope(other_account):
        _ = 1 / 0
    assert current_account_id() == account.id
    with pytest.raises(ZeroDivisionError), cross_account():
        _ = 1 / 0
    assert current_account_id() == account.id


def test_a_new_thread_has_no_scope(account):
    seen = []

    def look():
        try:
            seen.append(current_account_id())
        except NoAccountInScope:
            seen.append("none")

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == ["none"]


def test_tasks_do_not_meet(account, other_account):
    async def inside(target, first, second):
        with account_scope(target):
            first.set()
            await second.wait()
            return current_account_id()

    async def both():
        one, two = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(inside(account, one, two), inside(other_account, two, one))

    assert asyncio.run(both()) == [account.id, other_account.id]
    assert current_account_id() == account.id


def test_the_statements_are_those_of_djangos_backend_for_postgresql(account):
    with CaptureQueriesContext(connection) as queries:
        Domain.objects.bulk_create([Domain(name="A"), Domain(name="B")])
    assert "UNNEST" in queries[-1]["sql"]  # an array a column, not a parameter a value
    with pytest.raises(ValueError, match="Dollar signs"):
        list(Domain.objects.annotate(**{"a$b": FilteredRelation("flows")}).values("a$b__name"))
