"""Two authors of one draft: the second one to save is told, and nothing of either is lost."""

import threading

import pytest
from django.db import connections
from django.test import Client as Browser

from flowpilot.flows import drafting
from flowpilot.tests.editor.posting import HTMX, change, draft_of, form, mark, node, url
from flowpilot.tests.factories import STARTED_AT
from resolutionflow.tenancy import account_scope
from resolutionflow.tests.factories import SuperAdminFactory
from resolutionflow.tests.pages import read


def test_the_second_one_sees_both_and_keeps_what_they_choose(author, second, flow):
    theirs_form = form(flow, title="Second", help="Mine too")
    change(author, flow, title="First")
    response = second.post(url(flow, "edit/change/"), theirs_form, headers=HTMX)
    assert response.status_code == 409
    page = read(response)
    assert "Dana Whitfield changed this flow meanwhile." in page.text
    assert [box.one("legend").text for box in page.all("fieldset", class_="difference")] == [
        "“First”: title both changed it",
        "“First”: help",
    ]
    assert [mark.text for mark in page.all("mark")] == ["Second", "First", "Mine too", "Empty"]
    sent = [
        (field.attributes["name"], field.attributes["value"]) for field in page.all("input", type="hidden")
    ]
    names = [name for name, _ in sent]
    data = {name: [value for other, value in sent if other == name] for name in names}
    response = second.post(
        url(flow, "edit/merge/"), data | {"choice-0": "theirs", "choice-1": "mine"}, headers=HTMX
    )
    assert response.headers["HX-Redirect"] == url(flow) + "?step=start"
    assert (node(flow)["title"], node(flow)["help"]) == ("First", "Mine too")
    author.post(url(flow, "edit/undo/"), {"mark": mark(flow)}, headers=HTMX)
    assert "help" not in node(flow)


def test_with_names_hidden_the_other_author_has_a_number(author, second, flow, account):
    account.names_hidden = True
    account.save()
    change(author, flow, title="First")
    seen = second.get(url(flow)).content.decode()
    assert "by Engineer 1" in seen
    assert "Undo what Engineer 1 did" in seen
    sent = form(flow, title="Second")
    change(author, flow, title="Third")
    told = second.post(url(flow, "edit/change/"), sent, headers=HTMX)
    assert "Engineer 1 changed this flow meanwhile." in told.content.decode()
    second.post(url(flow, "edit/merge/"), sent | {"theirs": mark(flow), "all": "mine"})
    after = author.get(url(flow)).content.decode()
    assert "Undo what Engineer 2 did: Merged with other changes" in after
    for page in (seen, told.content.decode()):
        assert "Dana Whitfield" not in page
    assert "Noor Haddad" not in after


def test_a_super_admin_who_changed_it_is_told_as_one(author, flow):
    sent = form(flow, title="Mine")
    super_admin = SuperAdminFactory()
    drafting.save(
        flow.id,
        draft_of(flow).structure | {"title": "Theirs"},
        revision=draft_of(flow).revision,
        user=super_admin,
        words="",
        now=STARTED_AT,
    )
    told = author.post(url(flow, "edit/change/"), sent, headers=HTMX)
    assert told.status_code == 409
    assert "Super admin changed this flow meanwhile." in told.content.decode()
    assert super_admin.name not in author.get(url(flow)).content.decode()


@pytest.mark.parametrize(
    ("side", "title", "said"),
    [("mine", "Second", "Yours is saved."), ("theirs", "First", "Nothing of yours was saved.")],
)
def test_one_side_is_taken_whole(author, second, flow, side, title, said):
    sent = form(flow, title="Second")
    change(author, flow, title="First")
    change(author, flow, "solved", title="Done and dusted")
    merging = sent | {"theirs": mark(flow), "all": side}
    assert said in read(second.post(url(flow, "edit/merge/"), merging, follow=True)).text
    assert node(flow)["title"] == title
    assert node(flow, "solved")["title"] == ("Solved" if side == "mine" else "Done and dusted")


def test_what_cannot_be_stored_and_loses_the_merge_does_no_harm(author, second, flow):
    sent = form(flow, title="A\0B", help="Mine")
    change(author, flow, title="First")
    merging = sent | {"theirs": mark(flow), "choice-0": "theirs", "choice-1": "mine"}
    assert second.post(url(flow, "edit/merge/"), merging).status_code == 302
    assert (node(flow)["title"], node(flow)["help"]) == ("First", "Mine")


def test_a_third_save_during_the_merge_is_told_again(author, second, flow):
    sent = form(flow, title="Second")
    change(author, flow, title="First")
    merging = sent | {"theirs": mark(flow), "all": "mine"}
    change(author, flow, title="Third")
    assert second.post(url(flow, "edit/merge/"), merging, headers=HTMX).status_code == 409
    assert node(flow)["title"] == "Third"


def test_a_step_that_the_other_one_deleted_can_be_put_back(author, second, flow):
    sent = form(flow, "solved", title="Solved for good")
    author.post(url(flow, "edit/change/"), {"mark": mark(flow), "step": "solved", "act": "delete"})
    page = read(second.post(url(flow, "edit/change/"), sent, headers=HTMX))
    assert "Solved for good" in page.text
    second.post(url(flow, "edit/merge/"), sent | {"theirs": mark(flow)})
    assert node(flow, "solved")["title"] == "Solved for good"


def test_after_publishing_an_old_form_is_a_conflict_too(author, second, flow):
    change(author, flow, title="One")
    sent = form(flow, title="Old")
    author.post(url(flow, "edit/publish/"), {"mark": mark(flow), "note": ""})
    change(author, flow, title="Two")
    change(author, flow, title="Three")
    assert draft_of(flow).revision == 4
    assert second.post(url(flow, "edit/change/"), sent, headers=HTMX).status_code == 409
    response = second.post(url(flow, "edit/merge/"), sent | {"theirs": mark(flow), "all": "mine"})
    assert response.status_code == 302
    assert node(flow)["title"] == "Old"


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_once_one_wins_and_the_other_is_told(account, flow, team_admin):
    sent = [form(flow, title=f"Title {number}") for number in range(4)]
    barrier, answers = threading.Barrier(4), []

    def save(data):
        browser = Browser()
        browser.force_login(team_admin)
        barrier.wait()
        try:
            with account_scope(account):
                answers.append(
                    (browser.post(url(flow, "edit/change/"), data, headers=HTMX).status_code, data["title"])
                )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=save, args=[data]) for data in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert [title for status, title in answers if status == 200] == [node(flow)["title"]]
    assert draft_of(flow).revision == 2
