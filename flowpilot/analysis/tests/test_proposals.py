"""From sessions to proposals: which sessions are read, what is filed, what is filed again, and what never mixes."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command

from flowpilot import jobs
from flowpilot.analysis import running
from flowpilot.analysis.running import analyse
from flowpilot.analysis.tests.telling import ONEDRIVE, SPOOLER, VPN, decision, tell, told
from flowpilot.flows.structure import faults_of
from flowpilot.models import FlowProposal, Problem, ProblemSession, Session
from flowpilot.tests.factories import DomainFactory, FlowFactory, FlowProposalFactory
from resolutionflow.management.refusing import Refused
from resolutionflow.models import Account
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import UserFactory

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def domain(account):
    return DomainFactory(name="Desktop")


def state():
    """All that the analysis writes, but for what it draws from it."""
    return (
        list(FlowProposal.objects.order_by("id").values()),
        list(Problem.objects.order_by("id").values()),
        set(ProblemSession.objects.values_list("problem_id", "session_id")),
        set(Session.objects.values_list("id", "analysed_at")),
    )


def reject(proposal):
    proposal.status, proposal.reviewed_at = "rejected", NOW
    proposal.save()


def test_each_problem_of_a_domain_gets_one_proposal(account, domain):
    for start, stories in enumerate([SPOOLER[:4], ONEDRIVE, VPN]):
        tell(stories, start, domain=domain)
    assert analyse(account, NOW).filed.new == 3
    proposals = FlowProposal.objects.order_by("title")
    assert [(p.title, len(p.evidence["sessions"])) for p in proposals] == [
        ("OneDrive not syncing", 4),
        ("Printer not printing, jobs stuck in queue", 4),
        ("VPN error 809 from home", 4),
    ]
    for proposal in proposals:
        assert (proposal.kind, proposal.status, proposal.domain) == ("new_flow", "pending", domain)
        assert faults_of(proposal.structure) == []
        assert 0 < proposal.confidence < 1


def test_what_stands_behind_a_proposal(account, domain):
    sessions = tell(SPOOLER[:3], domain=domain, user=UserFactory(account=account))
    FlowFactory(name="Printer is offline")
    FlowFactory(
        name="Computer is slow", description="The print queue is full, jobs are stuck, the printer waits."
    )
    flow = FlowFactory(
        name="Print jobs stuck", description="Restart the spooler when the print queue is stuck."
    )
    FlowFactory(name="Print queue stuck, spooler", status="archived")
    analyse(account, NOW)
    proposal = FlowProposal.objects.get()
    evidence = proposal.evidence
    assert evidence["sessions"] == [str(session.id) for session in sessions]
    assert evidence["summaries"] == [story[0] for story in SPOOLER[:3]]
    assert max(evidence["terms"], key=evidence["terms"].get) == "printer"
    assert len(evidence["terms"]) <= 40
    assert evidence["outcomes"] == {"resolved": 3}
    spooler = "restart-print-spooler"
    assert evidence["visits"]["check-print-queue"] == 3
    assert evidence["visits"][spooler] == 3
    assert evidence["branches"] == {}
    assert evidence["left_out"] == {spooler: 1}  # not helped, and then on by a way of its own
    assert evidence["paths"][0] == {
        "session": str(sessions[1].id),
        "count": 2,
        "steps": [
            {"node_id": "check-print-queue", "title": "looked at the print queue", "answer": "stuck jobs"},
            {"node_id": spooler, "title": "Restarted spooler service", "answer": "works"},
        ],
        "outcome": "resolved",
    }
    nearest = evidence["nearest_flow"]
    assert (nearest["flow_id"], nearest["name"]) == (str(flow.id), "Print jobs stuck")
    assert 0.4 < nearest["similarity"] <= 1
    assert (evidence["returned"], evidence["change"]) == (None, None)
    assert proposal.summary.startswith("Solved 3 times without a flow, on 2 Mar 2026, by one engineer.")


def test_twice_changes_nothing(account, domain):
    tell([*SPOOLER, *VPN], domain=domain)
    analyse(account, NOW)
    before = state()
    again = analyse(account, NOW)
    assert (again.read, again.filed.new, again.filed.updated) == (0, 0, 0)
    assert state() == before


def test_a_session_that_comes_alone_counts_when_others_follow(account, domain):
    for n, story in enumerate(SPOOLER[:3]):
        tell([story], n, domain=domain)
        analyse(account, NOW)
        assert FlowProposal.objects.count() == (1 if n == 2 else 0)
    assert len(FlowProposal.objects.get().evidence["sessions"]) == 3


def test_a_pending_proposal_is_kept_up_to_date_and_its_steps_keep_their_ids(account, domain):
    tell(SPOOLER[:3], domain=domain)
    analyse(account, NOW)
    before = FlowProposal.objects.get()
    tell(SPOOLER[3:5], 3, domain=domain)
    filed = analyse(account, NOW).filed
    assert (filed.new, filed.updated) == (0, 1)
    after = FlowProposal.objects.get()
    assert (after.id, len(after.evidence["sessions"])) == (before.id, 5)
    assert after.evidence["visits"].keys() > before.evidence["visits"].keys() - {"solved", "solved-2"}


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_the_size_of_the_batches_makes_no_difference(account, domain, monkeypatch, batch):
    monkeypatch.setattr(running, "BATCH", batch)
    stories = [story for three in zip(SPOOLER, ONEDRIVE, VPN, strict=False) for story in three]
    tell(stories, domain=domain)
    analyse(account, NOW)
    found = {p.title: (len(p.evidence["sessions"]), p.evidence["visits"]) for p in FlowProposal.objects.all()}
    assert {title: sessions for title, (sessions, _) in found.items()} == {
        "Printer not printing, jobs stuck in queue": 4,
        "OneDrive not syncing": 4,
        "VPN error 809 from home": 4,
    }


def test_a_job_reads_a_fixed_number_of_sessions(account, domain, monkeypatch):
    monkeypatch.setattr(running, "BATCH", 2)
    monkeypatch.setattr(running, "A_RUN", 2)
    tell(SPOOLER, domain=domain)
    jobs.analyse_sessions(now=NOW)
    assert Session.objects.filter(analysed_at=NOW).count() == 4
    jobs.analyse_sessions(now=NOW)
    assert Session.objects.filter(analysed_at=None).count() == 0
    assert jobs.analyse_sessions.alone


def test_which_sessions_are_read(account, domain):
    """Resolved, without a guide, not read before, and two own steps that stand."""
    problem, solution, steps = SPOOLER[0]
    one = steps[:1]
    own = decision(8, "restarted print spooler")
    told(problem, solution, steps, confidence_tier="guided")
    told(problem, solution, steps, status="escalated")
    told(problem, solution, steps, status="active", completed_at=None)
    told(problem, solution, steps, analysed_at=NOW)
    unread = list(Session.objects.filter(analysed_at=None).values_list("id", flat=True))
    told(problem, solution, one)
    told(problem, solution, [], decisions=[own, own | {"id": "9", "undone_at": "2026-03-02T09:01:00Z"}])
    told(
        problem,
        solution,
        [],
        decisions=[own, decision(9, "Answer from a colleague", taken_over=True, by="x")],
    )
    told(problem, solution, [], decisions=[own, decision(9, "Look", node_id="look")])
    told(problem, solution, [], decisions=[own, "odd", {"title": 5}, {"title": "…"}, None])
    done = analyse(account, NOW)
    assert (done.read, done.taught) == (5, 0)
    assert list(Session.objects.filter(analysed_at=None).values_list("id", flat=True)) == unread
    assert not FlowProposal.objects.exists()
    for tier in ("exploring", None, "discovery"):
        told(problem, solution, steps, confidence_tier=tier, source="api")
    assert (analyse(account, NOW).taught, FlowProposal.objects.count()) == (3, 1)


def test_a_log_that_was_imported_yields_nothing(account, domain):
    """Its sessions are marked as analysed when they come."""
    tell(SPOOLER, domain=domain, source="import", analysed_at=NOW, confidence_tier=None)
    assert analyse(account, NOW).read == 0
    assert not FlowProposal.objects.exists()
    assert not Problem.objects.exists()


def test_problems_are_kept_apart_by_domain_but_one_without_joins(account, domain):
    other = DomainFactory(name="Servers")
    tell(SPOOLER[:2], domain=domain)
    tell(SPOOLER[:2], 2, domain=other)
    analyse(account, NOW)
    assert not FlowProposal.objects.exists()
    told(*SPOOLER[2], hours=5)
    analyse(account, NOW)
    assert len(FlowProposal.objects.get().evidence["sessions"]) == 3


def test_without_a_domain_too_and_no_second_one_when_it_gets_one(account, domain):
    tell(SPOOLER[:3])
    analyse(account, NOW)
    assert FlowProposal.objects.get().domain is None
    tell(SPOOLER[3:6], 3, domain=domain)
    analyse(account, NOW)
    proposal = FlowProposal.objects.get()
    assert (proposal.domain, len(proposal.evidence["sessions"])) == (domain, 6)


@pytest.mark.parametrize("status", ["approved", "modified", "dismissed"])
def test_what_was_decided_is_not_filed_again(account, domain, status):
    tell(SPOOLER[:3], domain=domain)
    analyse(account, NOW)
    FlowProposal.objects.update(status=status, reviewed_at=NOW)
    before = list(FlowProposal.objects.values())
    for start in (10, 20, 30):
        tell(SPOOLER, start, domain=domain)
        analyse(account, NOW)
    assert list(FlowProposal.objects.values()) == before


def test_a_rejected_problem_comes_back_when_its_evidence_has_doubled(account, domain):
    tell(SPOOLER[:3], domain=domain)
    analyse(account, NOW)
    rejected = FlowProposal.objects.get()
    reject(rejected)
    tell(SPOOLER[3:5], 3, domain=domain)
    analyse(account, NOW)
    assert FlowProposal.objects.count() == 1
    tell(SPOOLER[5:], 6, domain=domain)
    analyse(account, NOW)
    back = FlowProposal.objects.get(status="pending")
    assert len(back.evidence["sessions"]) == 6
    returned = {"proposal_id": str(rejected.id), "sessions_before": 3}
    assert back.evidence["returned"] == returned
    told(*SPOOLER[0], hours=9, domain=domain)
    analyse(account, NOW)
    back.refresh_from_db()
    assert (len(back.evidence["sessions"]), back.evidence["returned"]) == (7, returned)
    rejected.refresh_from_db()
    assert len(rejected.evidence["sessions"]) == 3


def test_a_problem_that_another_proposal_is_about_is_not_filed_beside_it(account, domain):
    """Of a proposal that no problem led to, such as one of a demo, and of a group that began apart."""
    terms = {"printer": 3.0, "queue": 2.5, "freez": 2.0, "job": 1.5}
    FlowProposalFactory(
        domain=domain, status="dismissed", reviewed_at=NOW, evidence={"sessions": ["1"], "terms": terms}
    )
    tell(SPOOLER, domain=domain)
    assert analyse(account, NOW).filed.new == 0
    assert Problem.objects.exclude(proposal=None).count() == 1


def test_accounts_never_mix(account, other_account, domain):
    """Two accounts with the same texts, one of which has too few."""
    tell(SPOOLER[:3], domain=domain)
    with account_scope(other_account):
        tell(SPOOLER[:2])
    for each in Account.objects.all():
        analyse(each, NOW)
    ours = {str(session.id) for session in Session.objects.all()}
    assert set(FlowProposal.objects.get().evidence["sessions"]) == ours
    with account_scope(other_account):
        assert not FlowProposal.objects.exists()
        told(*SPOOLER[2], hours=3)
        analyse(other_account, NOW)
        theirs = FlowProposal.objects.get()
        assert not ours & set(theirs.evidence["sessions"])
        assert len(theirs.evidence["sessions"]) == 3


def test_by_hand(account, other_account, domain):
    tell(SPOOLER[:3], domain=domain)
    said = StringIO()
    call_command("analyse_sessions", account="northgate", stdout=said)
    assert said.getvalue() == "northgate: read 3 sessions, filed 1 proposal, updated 0.\n"
    said = StringIO()
    call_command("analyse_sessions", stdout=said)
    assert said.getvalue() == (
        "northgate: read 0 sessions, filed 0 proposals, updated 0.\n"
        "southgate: read 0 sessions, filed 0 proposals, updated 0.\n"
    )
    with pytest.raises(Refused, match="no account with the slug nowhere") as refused:
        call_command("analyse_sessions", account="nowhere")
    assert refused.value.returncode == 2
