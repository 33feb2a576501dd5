"""The rules of the domain model that the database itself keeps."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import JSONField, Value

from flowpilot.models import Session
from flowpilot.sessions.states import Outcome, Status
from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    PsaActivityLogFactory,
    SessionFactory,
    StepFactory,
)
from ratings.tests.factories import SessionRatingFactory, StepRatingFactory
from resolutionflow.models import Account, User
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import AccountFactory, SuperAdminFactory, UserFactory

AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)

# The table of domain.md: status, outcome, whether completed_at is set.
ALLOWED = {
    ("active", None, False),
    ("requesting_escalation", None, False),
    ("abandoned", None, False),
    ("resolved", "resolved", True),
    ("resolved", "workaround", True),
    ("escalated", "escalated", True),
    ("unresolved", "unresolved", True),
}
COMBINATIONS = [
    (status, outcome, ended)
    for status in [*Status.values, "unknown"]
    for outcome in [None, *Outcome.values, "unknown"]
    for ended in (False, True)
]


def refused(make, **fields):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        make(**fields)
    return refusal.value.__cause__.diag.constraint_name


def session(**fields):
    return SessionFactory(started_at=AT, **fields)


@pytest.mark.parametrize(("status", "outcome", "ended"), COMBINATIONS)
def test_status_outcome_and_end_go_together_as_in_the_table(status, outcome, ended, engineer):
    fields = {
        "user": engineer,
        "status": status,
        "outcome": outcome,
        "completed_at": LATER if ended else None,
    }
    if (status, outcome, ended) in ALLOWED:
        session(**fields)
    else:
        assert refused(session, **fields) == "session_status_table"


def test_a_session_ends_after_its_start(engineer):
    early = AT - timedelta(seconds=1)
    assert refused(session, user=engineer, completed_at=early) == "session_ends_after_start"
    assert session(user=engineer, completed_at=AT).outcome == "resolved"


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"confidence_tier": "sure"}, "session_tier_known"),
        ({"confidence": -0.01}, "session_confidence_is_a_share"),
        ({"confidence": 1.01}, "session_confidence_is_a_share"),
        ({"source": "fax"}, "session_source_known"),
    ],
)
def test_facts_of_a_session_have_their_values(fields, constraint, engineer):
    assert refused(session, user=engineer, **fields) == constraint


def test_the_duration_is_whole_seconds_made_by_the_database(engineer):
    made = session(user=engineer, completed_at=AT + timedelta(seconds=61, milliseconds=900))
    open_one = session(user=engineer, status="active")
    assert Session.objects.get(id=made.id).duration_seconds == 61
    assert Session.objects.get(id=open_one.id).duration_seconds is None


def test_an_external_id_is_unique_in_its_account(account, other_account):
    session(external_id="INC1")
    session(external_id=None)
    session(external_id=None)
    assert refused(session, external_id="INC1") == "session_external_id_once"
    with account_scope(other_account):
        session(external_id="INC1")


@pytest.mark.parametrize("stars", [0, 6])
def test_a_rating_has_one_to_five_stars(stars, account):
    done = session()
    assert refused(SessionRatingFactory, session=done, rating=stars) == "session_rating_has_one_to_five_stars"


@pytest.mark.parametrize("stars", [1, 5])
def test_one_and_five_are_stars(stars, account):
    assert SessionRatingFactory(rating=stars).rating == stars


def test_a_session_is_rated_once_and_a_step_once_a_session(account):
    rating, thumb = SessionRatingFactory(), StepRatingFactory()
    assert "session_id" in refused(SessionRatingFactory, session=rating.session)
    again = {"step": thumb.step, "session": thumb.session}
    assert refused(StepRatingFactory, **again) == "step_rating_once_a_session"


@pytest.mark.parametrize(
    ("factory", "constraint"),
    [
        (ClientFactory, "client_name_once_in_account"),
        (DomainFactory, "domain_name_once_in_account"),
        (FlowFactory, "flow_name_once_in_account"),
    ],
)
@pytest.mark.parametrize(
    ("name", "same"), [("Contoso", "CONTOSO"), ("École Zürich", "éCOLE ZÜRICH"), ("Ωmega", "ωMEGA")]
)
def test_names_are_unique_whatever_their_case(factory, constraint, name, same, account, other_account):
    first = factory(name=name)
    assert refused(factory, name=same) == constraint
    with pytest.raises(ValidationError, match="exists already"):
        type(first)(name=same).full_clean()
    factory(name=f"{name} 2")
    with account_scope(other_account):
        factory(name=same)


def test_the_name_of_an_archived_flow_is_free(account):
    FlowFactory(name="VPN", status="archived")
    FlowFactory(name="vpn", status="archived")
    FlowFactory(name="VPN")


@pytest.mark.parametrize("factory", [ClientFactory, DomainFactory, FlowFactory])
def test_a_name_is_given(factory, account):
    assert refused(factory, name="").endswith("_name_given")


@pytest.mark.parametrize("field", ["kind", "status", "origin"])
def test_a_flow_has_known_words(field, account):
    assert refused(FlowFactory, **{field: "unknown"}) == f"flow_{field}_known"


def test_versions_and_steps_are_unique_in_their_flow(account):
    version, step = FlowVersionFactory(number=1), StepFactory(node_id="root")
    assert "flow" in refused(FlowVersionFactory, flow=version.flow, number=1)
    assert refused(StepFactory, flow=step.flow, node_id="root") == "step_node_once_in_flow"


@pytest.mark.parametrize(
    "fields",
    [
        {"activity_type": "fax"},
        {"activity_type": "note_posted", "hours_logged": 1},
        {"activity_type": "time_entry_posted", "hours_logged": 0},
        {"activity_type": "time_entry_posted", "hours_logged": -1},
    ],
)
def test_activity_of_the_ticket_system(fields, account):
    assert refused(PsaActivityLogFactory, **fields).startswith("psa_activity_")


def test_an_email_is_unique_over_all_accounts_and_in_lower_case(db):
    UserFactory(email="amira@example.com")
    assert "email" in refused(UserFactory, email="amira@example.com")
    assert refused(UserFactory, email="Amira@example.com") == "user_email_is_lower_case"
    made = User.objects.create_user("  Jonas@Example.COM ", name="Jonas", account=AccountFactory())
    assert made.email == "jonas@example.com"
    with pytest.raises(ValidationError, match="exists already"):
        User.objects.create_user("AMIRA@example.com", name="Amira", account=AccountFactory())


def test_only_a_super_admin_has_no_account(db):
    assert SuperAdminFactory().account is None
    assert refused(UserFactory, account=None) == "user_has_account_or_is_super"
    assert refused(UserFactory, role="boss") == "user_role_known"
    assert refused(UserFactory, name="") == "user_name_given"


def test_an_account_has_a_name_a_slug_of_its_own_and_a_limit(db):
    Account.objects.create(name="A", slug="a")
    assert "slug" in refused(AccountFactory, slug="a")
    assert refused(AccountFactory, name="") == "account_name_given"
    assert refused(AccountFactory, idle_limit=timedelta(0)) == "account_idle_limit_within_a_year"
    assert refused(AccountFactory, idle_limit=timedelta(days=367)) == "account_idle_limit_within_a_year"


@pytest.mark.parametrize("decisions", [{}, "text", 1, None])
def test_decisions_are_a_list(account, decisions):
    with pytest.raises(IntegrityError, match="session_decisions_are_a_list"):
        SessionFactory(decisions=Value(decisions, JSONField()))
