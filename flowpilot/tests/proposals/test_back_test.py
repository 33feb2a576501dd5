"""What a proposal would have covered, and what is measured of it later."""

from datetime import timedelta

import pytest

from flowpilot.models import Flow, FlowVersion
from flowpilot.proposals import reviewing
from flowpilot.proposals.back_test import back_test, bounds_of_median, difference, verdict
from flowpilot.tests.factories import (
    DomainFactory,
    FlowFactory,
    FlowProposalFactory,
    FlowVersionFactory,
    ProblemFactory,
    ProblemSessionFactory,
    SessionFactory,
)
from flowpilot.tests.proposals.conftest import NOW, STRUCTURE
from resolutionflow.tests.pages import listed, read


def session(engineer, minutes, *, days=5, tier="discovery", **facts):
    """About an offline printer; minutes None: still being worked on."""
    at = NOW - timedelta(days=days)
    ends = {"status": "active"} if minutes is None else {"completed_at": at + timedelta(minutes=minutes)}
    own = {"problem_summary": "Printer offline", "confidence_tier": tier}
    return SessionFactory(user=engineer, started_at=at, **own | ends | facts)


@pytest.fixture
def many(now, engineer, domain):
    """A proposal that would have covered sessions of 31 to 39 minutes, beside guided ones of 11 to 19."""
    session(engineer, 31, domain=domain)
    covered = [session(engineer, 30 + n, domain=domain if n % 2 else None) for n in range(2, 10)]
    for n in range(1, 10):
        session(engineer, 10 + n, domain=domain, tier="guided")
    return FlowProposalFactory(title="Printer is offline", domain=domain, behind=covered)


def test_bounds_by_order_statistics():
    # Of 9 values the chance of at most 1 below the median is 10 / 512, above 1.25 %, of none 1 / 512:
    # so the bounds of 97.5 % are the smallest and the largest. Of 10 it is 11 / 1024, so the second of each end.
    assert bounds_of_median([5, 3, 9, 1, 7, 2, 8, 4, 6]) == (1, 9)
    assert bounds_of_median([5, 3, 9, 1, 7, 2, 8, 4, 6, 10]) == (2, 9)
    assert bounds_of_median([1, 2, 3, 4, 5, 6, 7]) == (1, 7)
    assert bounds_of_median([1, 2, 3, 4, 5, 6]) is None
    assert difference((31, 39), (11, 19)) == (12, 28)
    assert difference((31, 39), None) is None
    assert [verdict(bounds) for bounds in [(1, 5), (-5, -1), (-1, 5), (0, 5), None]] == [
        *("faster", "slower", "open", "open", "few")
    ]


def test_what_it_would_have_covered(many, engineer, domain):
    session(engineer, 99, days=95, domain=domain)  # too long ago
    session(engineer, 99, domain=DomainFactory(name="Mail"))
    session(engineer, 99, domain=domain, problem_summary="Scanner jams")
    session(engineer, None, domain=domain, tier="exploring")  # covered, without minutes
    session(engineer, None, domain=domain, tier="guided")
    found = back_test(many, now=NOW)
    assert (len(found.covered), found.completed, found.unguided, found.guided) == (10, 9, 11, 9)
    assert (found.covered_median, found.guided_median) == (35 * 60, 15 * 60)
    assert found.bounds == (12 * 60, 28 * 60)
    assert (found.verdict, found.saved) == ("faster", 20 * 60)


def test_it_has_to_fit_better_than_the_flows_that_were_there(many, domain, django_assert_num_queries):
    flow = FlowFactory(name="Printer is offline", description="The printer is offline.", domain=domain)
    flow.current_version = FlowVersionFactory(flow=flow, structure=STRUCTURE)
    flow.save()

    def covered(published_at):
        FlowVersion.objects.update(published_at=published_at)
        with django_assert_num_queries(2):
            return len(back_test(many, now=NOW).covered)

    assert covered(NOW - timedelta(days=4)) == 9  # the sessions began a day before that
    assert covered(NOW - timedelta(days=6)) == 0


def test_a_session_that_had_a_flow_counts_where_this_one_fits_better(
    client, team_admin, engineer, many, domain
):
    other = FlowFactory(name="Router is down", domain=domain)
    for score in (0.1, 1.0, None):
        session(engineer, 30, domain=domain, tier="exploring", flow=other, confidence=score)
    found = back_test(many, now=NOW)
    assert (len(found.covered), found.without_flow, found.with_flow) == (11, 9, 2)
    client.force_login(team_admin)
    card = read(client.get(f"/proposals/{many.id}/")).one("section", aria_labelledby="test-title")
    assert "9 had no flow, 2 had one that fitted less" in card.text


def test_what_the_analysis_found_to_be_another_problem_is_not_covered(many, engineer, domain):
    for problem in (ProblemFactory(domain=domain), ProblemFactory(domain=domain, proposal=many)):
        ProblemSessionFactory(problem=problem, session=session(engineer, 30, domain=domain))
    assert len(back_test(many, now=NOW).covered) == 10


def test_the_sessions_of_a_rejected_proposal_are_those_of_the_one_that_came_back(many, domain):
    ids = many.evidence["sessions"]
    returned = {"returned": {"proposal_id": str(many.id), "sessions_before": len(ids)}}
    back = FlowProposalFactory(
        title=many.title, domain=domain, evidence=many.evidence | returned, structure=many.structure
    )
    problem = ProblemFactory(domain=domain, proposal=back)
    for id_ in ids:
        ProblemSessionFactory(problem=problem, session_id=id_)
    assert len(back_test(back, now=NOW).covered) == 9
    assert len(back_test(many, now=NOW).covered) == 1  # the one that the analysis has not read


def test_the_numbers_open_lists_of_that_length(client, team_admin, many):
    client.force_login(team_admin)
    card = read(client.get(f"/proposals/{many.id}/")).one("section", aria_labelledby="test-title")
    assert "Guided sessions take 20.0 min less; the true difference lies between 12.0 min and 28.0 min." in (
        card.text
    )
    figures = [(link.text, link.href) for link in card.all("a", class_="figure")]
    assert [number for number, _ in figures] == ["9", "9"]
    for number, href in figures:
        assert listed(read(client.get(href)))[0] == int(number), href
    assert len(card.rows()) == 9


def test_without_a_domain_it_looks_among_those_without_one(now, engineer, domain):
    covered = [session(engineer, 10), session(engineer, 20)]
    session(engineer, 30, domain=domain)
    session(engineer, 5, tier="guided")
    found = back_test(FlowProposalFactory(title="Printer is offline", behind=covered), now=NOW)
    assert (len(found.covered), found.unguided, found.guided) == (2, 2, 1)


def test_no_words_cover_nothing(now, engineer):
    session(engineer, 10)
    found = back_test(FlowProposalFactory(evidence={}), now=NOW)
    assert (found.covered, found.unguided, found.verdict) == ((), 1, "few")


def test_predicted_against_measured_after_thirty_days(client, clock, team_admin, engineer, many):
    flow = reviewing.approve(many.id, user=team_admin, now=NOW).published_flow

    def told(days, viewer=team_admin):
        clock(NOW + timedelta(days=days))
        client.force_login(viewer)
        return read(client.get(f"/flows/{flow.id}/")).one("section", class_="origin")

    assert "From 30 Apr 2026 on, what was predicted" in told(29).text
    assert "it takes 7" in told(30).text.lower()
    for n in range(9):  # 21 to 29 minutes: 2 to 18 less than before
        session(engineer, 21 + n, days=-10, flow=flow, tier="guided")
    session(engineer, None, days=-11, flow=flow, tier="guided")
    card = told(60)
    words = card.text
    # nine of the 90 days before make 3 in 30 days; ten in 60 make 5
    assert "5.0 guided, predicted 3.0" in words
    assert (
        "Sessions take 10.0 min less than before; the true difference lies between 2.0 min and 18.0 min."
        in (words)
    )
    assert "35.0 min; other guided sessions of the domain 15.0 min" in words
    for link in card.all("a", class_="figure"):
        assert listed(read(client.get(link.href)))[0] == int(link.text)
    assert [link.href for link in told(60, engineer).all("a")] == []


def test_a_flow_by_hand_says_nothing_of_proposals(client, team_admin, target):
    client.force_login(team_admin)
    assert not read(client.get(f"/flows/{target.id}/")).all("section", class_="origin")
    assert Flow.objects.count() == 1
