"""The queue and a proposal's page, as team admins see them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flowpilot.flows import drafting
from flowpilot.models import Flow, FlowProposal
from flowpilot.proposals import reviewing
from flowpilot.tests.factories import FlowFactory, FlowProposalFactory, FlowVersionFactory, SessionFactory
from flowpilot.tests.proposals.conftest import NOW, STRUCTURE
from resolutionflow.tests.pages import read

HOSTILE = '<script>alert("x")</script>{{ 7 }}'


@pytest.fixture
def lead(client, team_admin):
    client.force_login(team_admin)
    return client


def titles(response):
    return [link.text for link in read(response).all("a") if "data-row" in link.attributes]


def test_engineers_are_kept_out_and_strangers_find_nothing(client, proposal, engineer, stranger):
    client.force_login(engineer)
    for path in ("", f"{proposal.id}/"):
        response = client.get(f"/proposals/{path}")
        assert response.status_code == 403
        assert "reviewed by team admins" in response.content.decode()
    for act in ("approve", "edit", "reject", "dismiss"):
        assert client.post(f"/proposals/{proposal.id}/{act}/").status_code == 403
    client.force_login(stranger)
    assert client.get(f"/proposals/{proposal.id}/").status_code == 404
    assert client.post(f"/proposals/{proposal.id}/approve/").status_code == 404
    assert titles(client.get("/proposals/")) == []


def test_the_queue_filters_and_orders(lead, proposal, enhancement, domain):
    FlowProposalFactory(title="Sure", confidence=0.95, created_at=NOW)
    FlowProposalFactory(title="Was no good", status="rejected", reviewed_at=NOW, confidence=0.2)
    FlowProposalFactory(title="Runs", status="modified", reviewed_at=NOW - timedelta(days=2))
    amber, offline = enhancement.title, proposal.title
    for query, expected in {
        "": ["Sure", amber, offline],
        "sort=newest": ["Sure", amber, offline],
        "sort=oldest": [offline, amber, "Sure"],
        "sort=sessions&kind=new_flow": [offline, "Sure"],
        "kind=enhancement": [amber],
        "status=rejected": ["Was no good"],
        "status=published": ["Runs"],
        "status=published&reviewed_from=2026-03-30": [],
        "status=all&confidence=low": ["Was no good"],
        f"domain_id={domain.id}": [amber, offline],
        "domain_id=none": ["Sure"],
        "q=SPOOLER": [offline],
        "q=hangs+Öffline": [offline],
        "q=%25": [],
        "kind=nonsense&q=%00": ["Sure", amber, offline],
        "reviewed_from=31.3.": ["Sure", amber, offline],
    }.items():
        assert titles(lead.get(f"/proposals/?{query}")) == expected, query
    row = read(lead.get("/proposals/?kind=new_flow&q=spooler")).one("tbody").text
    assert row == "Printer is offline New flow Printing 3 80.0 % 10 Mar 2026"


def test_an_empty_queue_says_how_proposals_come_about(lead, account):
    page = read(lead.get("/proposals/"))
    assert (
        "when several sessions without a flow solve the same problem" in page.one("div", class_="empty").text
    )
    assert "Enter opens a proposal" in page.one("p", class_="keys").text


def test_a_search_that_finds_only_what_was_decided_leads_there(lead, proposal, team_admin):
    assert "No proposal fits" in read(lead.get("/proposals/?q=scanner")).one("div", class_="empty").text
    reviewing.dismiss(proposal.id, user=team_admin, now=NOW)
    empty = read(lead.get("/proposals/?q=spooler&kind=new_flow")).one("div", class_="empty")
    assert titles(lead.get(empty.one("a").href)) == ["Printer is offline"]
    assert "Nothing waits for review" in read(lead.get("/proposals/")).one("div", class_="empty").text


def test_the_navigation_counts_what_waits(lead, client, proposal, enhancement, engineer):
    FlowProposalFactory(status="dismissed", reviewed_at=NOW)
    entry = next(link for link in read(lead.get("/")).all("a") if link.href == "/proposals/")
    assert entry.text == "Proposals 2 pending"
    client.force_login(engineer)
    assert not [link for link in read(client.get("/")).all("a") if link.href == "/proposals/"]


def test_a_page_of_many_asks_as_often_as_of_one(lead, proposal):
    with CaptureQueriesContext(connection) as one:
        lead.get("/proposals/")
    for _ in range(30):
        FlowProposalFactory(domain=proposal.domain)
    with CaptureQueriesContext(connection) as many:
        lead.get("/proposals/")
    assert len(many) == len(one)


def test_the_evidence_comes_first(lead, proposal, solved, account):
    proposal.evidence |= {
        "nearest_flow": {
            "flow_id": str(FlowFactory(name="Nothing prints").id),
            "name": "Old",
            "similarity": 0.42,
        }
    }
    proposal.save()
    page = read(lead.get(f"/proposals/{proposal.id}/"))
    facts = page.one("dl", aria_label="Evidence").text
    assert facts == "Sessions3 Engineers2 Days3 Resolved2Workaround1"
    assert [row[:2] for row in page.one("section", aria_labelledby="evidence-title").rows()] == [
        ["Printer three is offline", "Amira Haddad"],
        ["Printer two is offline", "Jonas Weber"],
        ["Printer one is offline", "Amira Haddad"],
    ]
    ways = [way.text for way in page.all("section", class_="path")]
    assert ways[0].startswith("2 sessions Spooler?NoRestarted it")
    assert ways[1].startswith("1 session Spooler?YesNew cable")
    assert "Nothing prints42.0 % alike" in page.one("section", aria_label="Details").text
    steps = [step.text for step in page.one("ol", class_="flow-outline").all("li", class_="outline-step")]
    assert "3 sessions of 3" in steps[0]
    assert [suffix.text for suffix in page.all("span", class_="outline-suffix")] == ["2", "1"]


def test_the_back_test_says_too_few(lead, proposal):
    card = read(lead.get(f"/proposals/{proposal.id}/")).one("section", aria_labelledby="test-title")
    assert "3 of 3 that no flow guided" in card.text
    assert "Fewer than 7 completed sessions on either side: nothing can be said about the time." in card.text


def test_a_problem_that_came_back_says_so(lead, proposal, team_admin):
    before = FlowProposalFactory(
        status="rejected", reviewed_at=NOW, reviewed_by=team_admin, review_note="That one is gone."
    )
    proposal.evidence |= {"returned": {"proposal_id": str(before.id), "sessions_before": 1}}
    proposal.save()
    page = read(lead.get(f"/proposals/{proposal.id}/"))
    words = page.one("section", aria_labelledby="evidence-title").one("div", class_="notice").text
    assert words == (
        "This problem comes back: Dana Whitfield turned it down on 31 Mar 2026 with 1 session behind it, now there "
        "are 3. The reason then: “That one is gone.” See the earlier proposal"
    )
    row = read(lead.get("/proposals/")).one("tbody").text
    assert "New flow · comes back" in row


def test_a_change_is_told_in_words_against_the_version_that_runs(lead, enhancement, target):
    card = read(lead.get(f"/proposals/{enhancement.id}/")).one("section", aria_labelledby="change-title")
    assert "Engineers add this answer by hand: “Amber” at “Which light is on?”. 6 of 20, 30.0 %" in card.text
    assert "95 % interval 14.5 – 51.9 %" in card.text
    assert "Option “Amber” to “Solved” added" in card.text
    assert "would be undone" not in card.text


def says_moved_on(lead, proposal):
    return "The flow has moved on" in lead.get(f"/proposals/{proposal.id}/").content.decode()


def publish(target, structure):
    target.current_version = FlowVersionFactory(
        flow=target, number=target.versions.count() + 1, structure=structure, published_at=NOW
    )
    target.save()


def test_a_version_that_says_the_same_has_not_moved_on_and_another_one_has(lead, enhancement, target):
    publish(target, STRUCTURE)  # later than the proposal, and yet what it was made on
    assert not says_moved_on(lead, enhancement)
    publish(target, STRUCTURE | {"title": "Which lamp is lit?"})
    assert says_moved_on(lead, enhancement)
    publish(target, STRUCTURE | {"options": enhancement.structure["options"][1:]})  # one less, one more
    assert says_moved_on(lead, enhancement)


def test_a_step_to_drop_moves_on_with_the_rest_of_its_flow(lead, enhancement, target):
    check, done = (
        {"id": "check", "type": "action", "title": "Check", "next": "done"},
        STRUCTURE["children"][0],
    )
    before = check | {"id": "look", "title": "Look", "next": "check", "children": [check, done]}
    enhancement.structure = check | {"children": [done]}
    enhancement.evidence["change"] |= {"kind": "skipped_step", "node_id": "look", "label": None}
    enhancement.save()
    publish(target, before)
    assert not says_moved_on(lead, enhancement)
    publish(target, before | {"children": [check | {"title": "Check twice"}, done]})
    assert says_moved_on(lead, enhancement)
    publish(target, enhancement.structure)  # somebody dropped it by hand
    assert not says_moved_on(lead, enhancement)


def test_the_map_opens_where_a_change_begins(lead, enhancement, proposal):
    page = read(lead.get(f"/proposals/{enhancement.id}/"))
    steps = page.one("ol", class_="flow-outline").all("li", class_="outline-step")
    assert ["changed here" in step.text for step in steps] == [True, False, False]
    assert page.one("div", class_="tree").attributes["data-opens-at"] == "1"
    assert (
        "data-opens-at"
        not in read(lead.get(f"/proposals/{proposal.id}/")).one("div", class_="tree").attributes
    )


def test_previous_and_next_follow_the_queue(lead, now):
    first, second, third = (FlowProposalFactory(confidence=sure) for sure in (0.9, 0.8, 0.7))
    page = read(lead.get(f"/proposals/{second.id}/?kind=new_flow"))
    assert page.one("a", rel="prev").href == f"/proposals/{first.id}/?kind=new_flow"
    assert page.one("a", rel="next").href == f"/proposals/{third.id}/?kind=new_flow"
    assert "2 of 3" in page.one("nav", class_="beside").text
    answer = lead.post(f"/proposals/{second.id}/dismiss/?kind=new_flow", follow=True)
    page = read(answer)  # it left the queue, and the next one is still the next one
    assert page.one("a", rel="next").href == f"/proposals/{third.id}/?kind=new_flow"


def test_approve_from_the_page(lead, proposal):
    answer = lead.post(f"/proposals/{proposal.id}/approve/", follow=True)
    assert "is published. Engineers can run it now." in answer.content.decode()
    flow = Flow.objects.get()
    page = read(lead.get(f"/flows/{flow.id}/"))
    assert page.one("section", class_="origin").one("li").text == (
        "From 3 sessions, proposal of 10 Mar 2026, published on 31 Mar 2026"
    )
    late = lead.post(f"/proposals/{proposal.id}/approve/")
    assert (late.status_code, Flow.objects.count()) == (409, 1)
    assert "Dana Whitfield approved this proposal on 31 Mar 2026, 12:00." in late.content.decode()


def test_what_cannot_be_published_names_its_faults(lead, proposal):
    proposal.structure["options"] = []
    proposal.save()
    answer = lead.post(f"/proposals/{proposal.id}/approve/")
    assert answer.status_code == 422
    assert "spooler: A question has 2 to 30 options." in answer.content.decode()


def test_a_get_changes_nothing(lead, proposal):
    for act in ("approve", "edit", "reject", "dismiss"):
        assert lead.get(f"/proposals/{proposal.id}/{act}/").status_code == 405
    lead.get(f"/proposals/{proposal.id}/")
    proposal.refresh_from_db()
    assert (proposal.status, proposal.draft_flow) == ("pending", None)


def test_reject_wants_a_reason(lead, proposal):
    for reason in ("", "   ", "\0", "x" * 2001):
        answer = lead.post(f"/proposals/{proposal.id}/reject/", {"reason": reason})
        assert answer.status_code == 422, reason
    lead.post(f"/proposals/{proposal.id}/reject/", {"reason": HOSTILE})
    page = lead.get(f"/proposals/{proposal.id}/")
    assert "<script>alert" not in page.content.decode()
    assert read(page).one("blockquote").text == HOSTILE


def test_edit_opens_the_editor_and_discarding_goes_back(lead, proposal):
    answer = lead.post(f"/proposals/{proposal.id}/edit/")
    flow = Flow.objects.get()
    assert answer["Location"] == f"/flows/{flow.id}/edit/"
    page = read(lead.get(f"/proposals/{proposal.id}/"))
    assert "unchanged so far; Dana Whitfield opened it" in page.one("div", class_="proposal-notice").text
    assert "being edited" in read(lead.get("/proposals/")).one("tbody").text
    asked = read(lead.get(f"/flows/{flow.id}/edit/discard/"))
    assert "The flow was made for it and goes with it." in asked.one("section", id="step").text
    mark = asked.one("section", id="step").one("input", name="mark").attributes["value"]
    done = lead.post(f"/flows/{flow.id}/edit/discard/", {"mark": mark}, follow=True)
    assert "waits for review as before" in done.content.decode()
    assert Flow.objects.count() == 0


def test_a_draft_in_the_way_is_compared_and_can_be_replaced(lead, enhancement, target, colleague):
    own = STRUCTURE | {"title": "Which lamp is lit?"}
    drafting.save(target.id, own, revision=0, user=colleague, words="Title", now=NOW)
    answer = lead.post(f"/proposals/{enhancement.id}/edit/")
    card = read(answer).one("section", aria_labelledby="way-title")
    assert answer.status_code == 409
    assert "Title was “Which lamp is lit?”" in card.text
    over = card.one("input", name="over").attributes["value"]
    for bad in ("x", "99999999999", "-1"):
        assert lead.post(f"/proposals/{enhancement.id}/edit/", {"over": bad}).status_code == 409
    assert lead.post(f"/proposals/{enhancement.id}/edit/", {"over": over}).status_code == 302


@pytest.mark.parametrize(
    "evidence",
    [
        [],
        "text",
        {
            "sessions": {"a": 1},
            "terms": [],
            "visits": 3,
            "branches": {"a": [1]},
            "paths": [None, {"steps": "x"}],
        },
        {"sessions": ["x", 3, None], "terms": {"a": "b"}, "nearest_flow": 7, "returned": [], "change": "x"},
        {"change": {"n": 9e99, "of": -1}, "returned": {"proposal_id": 3}, "nearest_flow": {"flow_id": "x"}},
        {
            "summaries": [HOSTILE],
            "paths": [{"steps": [{"title": HOSTILE, "answer": HOSTILE}], "outcome": HOSTILE}],
        },
    ],
)
def test_odd_evidence_is_no_fault_of_the_server(lead, now, evidence):
    proposal = FlowProposalFactory(title=HOSTILE, summary=HOSTILE, evidence=evidence)
    for path in ("/proposals/", f"/proposals/{proposal.id}/"):
        answer = lead.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode()
    assert lead.post(f"/proposals/{proposal.id}/approve/").status_code == 302


def test_names_stay_hidden(lead, proposal, account):
    account.names_hidden = True
    account.save()
    assert "Amira" not in lead.get(f"/proposals/{proposal.id}/").content.decode()


def test_a_page_asks_as_often_whatever_is_behind_it(lead, proposal, engineer, domain):
    few = CaptureQueriesContext(connection)
    with few:
        lead.get(f"/proposals/{proposal.id}/")
    more = [SessionFactory(user=engineer, domain=domain, started_at=NOW) for _ in range(30)]
    proposal.evidence["sessions"] += [str(session.id) for session in more]
    proposal.save()
    with CaptureQueriesContext(connection) as many:
        lead.get(f"/proposals/{proposal.id}/")
    assert len(many) == len(few)


def test_a_super_admin_reviews_too(client, proposal, super_admin, account):
    client.force_login(super_admin)
    client.post("/accounts/choose/", {"account": account.slug})
    client.post(f"/proposals/{proposal.id}/approve/")
    proposal.refresh_from_db()
    assert (proposal.status, proposal.reviewed_by) == ("approved", super_admin)
    assert "Super admin approved" in client.get(f"/proposals/{proposal.id}/").content.decode()


def test_the_row_rules_hold_in_the_database(proposal, team_admin):
    flow = reviewing.open_draft(proposal.id, user=team_admin, now=NOW)
    rows = FlowProposal.objects.filter(id=proposal.id)
    with pytest.raises(Exception, match="proposal_draft_only_while_pending"):
        rows.update(status="rejected", reviewed_at=NOW, draft_flow=flow)


def test_a_change_that_rests_on_thumbs_shows_thumbs_and_who_gave_them(lead, enhancement):
    enhancement.evidence = {
        "change": enhancement.evidence["change"]
        | {"kind": "disliked_step", "label": None, "n": 43, "of": 55, "engineers": 9}
    }
    enhancement.save()
    page = lead.get(f"/proposals/{enhancement.id}/").content.decode()
    assert "Thumbs down</dt><dd>43" in page
    assert "By engineers</dt><dd>9" in page
    assert "Sessions</dt>" not in page
    assert "43 thumbs" in lead.get("/proposals/").content.decode()


def test_the_most_frequent_way_comes_first_counted_over_all_sessions(lead, proposal):
    few, many = proposal.evidence["paths"][0], proposal.evidence["paths"][2]
    proposal.evidence["paths"] = [few | {"count": 2}, many | {"count": 30}]
    proposal.save()
    page = lead.get(f"/proposals/{proposal.id}/").content.decode()
    assert page.index("30 sessions</h3>") < page.index("2 sessions</h3>")
