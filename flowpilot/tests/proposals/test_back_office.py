"""Review in Django admin: the same acts, the same faults, and nothing else for team admins."""

import pytest

from flowpilot.models import Flow
from flowpilot.proposals import reviewing
from flowpilot.tests.factories import FlowProposalFactory
from flowpilot.tests.proposals.conftest import NOW
from resolutionflow.tests.pages import read

LIST = "/admin/flowpilot/flowproposal/"


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def change(proposal):
    return f"{LIST}{proposal.id}/change/"


def test_a_team_admin_finds_proposals_alone(lead, proposal, other_account, target):
    page = lead.get("/admin/").content.decode()
    assert "Flow proposals" in page
    assert "Sessions" not in page
    assert other_account.name not in page
    for path in ("session/", "flow/", f"flow/{target.id}/change/", "flowproposal/add/"):
        assert lead.get(f"/admin/flowpilot/{path}").status_code == 403, path
    assert lead.get(f"{LIST}{proposal.id}/delete/").status_code == 403
    for path in ("resolutionflow/user/", "resolutionflow/auditentry/", "procrastinate/procrastinatejob/"):
        assert lead.get(f"/admin/{path}").status_code in (403, 404), path
    assert lead.get("/admin/ratings/").status_code == 404
    assert "Printer is offline" in lead.get(LIST).content.decode()


def test_others_do_not_get_in(client, proposal, engineer, stranger):
    client.force_login(engineer)
    assert client.get(LIST).status_code == 403
    client.force_login(stranger)
    assert "Printer is offline" not in client.get(LIST).content.decode()
    assert client.get(change(proposal)).status_code == 404
    assert client.post(change(proposal), {"decision": "approve"}).status_code == 404


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"decision": "approve"}, "approved"),
        ({"decision": "reject", "note": "No"}, "rejected"),
        ({"decision": "dismiss"}, "dismissed"),
    ],
)
def test_the_acts(lead, proposal, team_admin, fields, status):
    page = read(lead.get(change(proposal)))
    assert "1. Is the print spooler running?" in page.text
    answer = lead.post(change(proposal), fields)
    assert answer["Location"] == LIST
    proposal.refresh_from_db()
    assert (proposal.status, proposal.reviewed_by) == (status, team_admin)
    assert proposal.title == "Printer is offline"


def test_edit_leads_to_the_editor(lead, enhancement, target):
    page = read(lead.get(change(enhancement)))
    assert "Option “Amber” to “Solved” added" in page.text
    answer = lead.post(change(enhancement), {"decision": "edit"})
    assert answer["Location"] == f"/flows/{target.id}/edit/"


def test_faults_are_said_and_nothing_happens(lead, proposal, enhancement):
    assert "Say why" in lead.post(change(proposal), {"decision": "reject"}).content.decode()
    assert "This field is required" in lead.post(change(proposal), {}).content.decode()
    for row, words in [(enhancement, "edited before it is published"), (proposal, "A question has 2 to 30")]:
        row.structure = row.structure | {"options": []}
        row.save()
        assert words in lead.post(change(row), {"decision": "approve"}, follow=True).content.decode()
        row.refresh_from_db()
        assert row.status == "pending"


def test_the_second_reviewer_is_told(lead, proposal, super_admin):
    reviewing.dismiss(proposal.id, user=super_admin, now=NOW)
    page = lead.post(change(proposal), {"decision": "approve"}, follow=True).content.decode()
    assert "Super admin dismissed this proposal on 31 Mar 2026, 12:00." in page
    assert 'name="decision"' not in page
    assert Flow.objects.count() == 0


def test_several_at_once(lead, proposal, enhancement):
    other = FlowProposalFactory(title="Other")
    chosen = [str(row.id) for row in (proposal, enhancement, other)]
    page = lead.post(LIST, {"action": "approve_selected", "_selected_action": chosen}, follow=True)
    words = page.content.decode()
    assert "2 proposals approved and published." in words
    assert "edited before it is published" in words
    page = lead.post(LIST, {"action": "dismiss_selected", "_selected_action": chosen}, follow=True)
    assert "1 proposal dismissed." in page.content.decode()
    assert "approved this proposal" in page.content.decode()
