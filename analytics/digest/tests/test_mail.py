import re
from datetime import UTC, datetime, timedelta

import pytest

from analytics.digest.mail import token_of, user_of
from flowpilot.tests.factories import DomainFactory, SessionFactory
from resolutionflow.tests.factories import UserFactory
from resolutionflow.tests.pages import _Reader

THEN = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
HOSTILE = (
    '<script>alert("x")</script> =HYPERLINK("http://evil.example") 🦊 \u202eabc\nBcc: all@northgate.example'
)


def html_of(mail):
    (part,) = mail.alternatives
    assert part.mimetype == "text/html"
    reader = _Reader()
    reader.feed(part.content)
    return reader.root


def test_both_parts_say_the_same(digest, team_admin, engineer):
    domain = DomainFactory(name="Email")
    for _ in range(5):
        SessionFactory(user=engineer, started_at=THEN, status="escalated", domain=domain)
    mail = digest(team_admin)
    assert mail.subject == "Northgate IT, 9 – 15 Mar 2026: 5 sessions"
    assert mail.to == [team_admin.email]
    html = html_of(mail).one("body")
    for words in ("Completion rate", "100.0 %", "Resolution rate", "0.0 %", "Hello Dana Whitfield"):
        assert words in html.text
        assert words in mail.body
    links = {link.href for link in html.all("a")}
    assert links == set(re.findall(r"http\S+", mail.body)) | {link for link in links if "/sessions/" in link}
    assert all(link.startswith("http://testserver/") for link in links)


def test_it_leads_to_ones_own_dashboard(digest, client, team_admin, engineer):
    for person, path in ((team_admin, "/analytics/"), (engineer, "/analytics/me/")):
        address = f"http://testserver{path}?from=2026-03-09&to=2026-03-15"
        assert f"The whole week: {address}" in digest(person).body
        client.force_login(person)
        assert client.get(address).status_code == 200


def test_nothing_is_fetched_and_no_style_stands_at_an_element(digest, team_admin):
    html = html_of(digest(team_admin))
    found = []

    def walk(element):
        for child in element.children:
            if not isinstance(child, str):
                found.append(child)
                walk(child)

    walk(html)
    assert not {"img", "script", "link", "iframe", "object"} & {element.tag for element in found}
    assert not [element for element in found if {"style", "src", "onclick"} & set(element.attributes)]
    style = "".join(html.one("style").children)
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_a_week_without_sessions_says_so(digest, engineer):
    mail = digest(engineer)
    assert mail.subject == "Your week, 9 – 15 Mar 2026: no session"
    assert "There was no session in this week." in mail.body
    assert "There was no session in this week." in html_of(mail).text
    SessionFactory(user=engineer, started_at=datetime(2026, 3, 3, 9, tzinfo=UTC))
    assert "There was no session in this week; in the week before there was 1." in digest(engineer).body


@pytest.mark.parametrize("hidden", [False, True])
def test_an_engineers_digest_shows_no_colleague(hidden, digest, account, engineer, colleague):
    account.names_hidden = hidden
    account.save()
    for who in (engineer, colleague):
        SessionFactory(user=who, started_at=THEN, problem_summary=f"Problem of {who.name}")
        SessionFactory(user=who, status="requesting_escalation", started_at=THEN)
    for _ in range(2):
        SessionFactory(user=colleague, started_at=THEN, completed_at=THEN + timedelta(minutes=40))
    mail = digest(engineer)
    assert mail.subject == "Your week, 9 – 15 Mar 2026: 2 sessions"
    html = html_of(mail)
    assert [cell.text for cell in html.all("td", class_="value")] == [
        "2",
        "50.0 %",
        "10.0 min",
        "50.0 %",
        "–",
    ]
    assert [" ".join(item.text.split()) for item in html.all("li")] == [
        "1 session of yours asked for help, and nobody has answered yet."
    ]
    plain = " ".join(mail.body.split())
    assert "Sessions 2 Completion rate 50.0 % Median duration 10.0 min Resolution rate 50.0 % CSAT –" in plain
    assert "1. 1 session of yours asked for help, and nobody has answered yet." in plain
    for part in (mail.body, mail.alternatives[0].content):
        assert colleague.name not in part
        assert "Problem of" not in part
        assert str(colleague.id) not in part


def test_nobody_is_named_to_a_team_admin(digest, team_admin, engineer, colleague):
    for who in (engineer, colleague):
        for _ in range(6):
            SessionFactory(user=who, started_at=THEN, status="escalated", domain=DomainFactory())
    mail = digest(team_admin)
    for part in (mail.body, mail.alternatives[0].content):
        assert engineer.name not in part
        assert colleague.name not in part


def test_hostile_names_stay_text(digest, account, team_admin):
    account.name = team_admin.name = HOSTILE
    domain = DomainFactory(name=HOSTILE)
    for _ in range(5):
        SessionFactory(user=team_admin, started_at=THEN, status="escalated", domain=domain)
    mail = digest(team_admin)
    message = mail.message()
    assert "\n" not in mail.subject
    assert message["Bcc"] is None
    html = html_of(mail)
    assert html.all("script") == []
    assert "<script>" in html.text


def test_it_can_be_stopped_by_one_click_of_the_mail_program(digest, engineer):
    headers = digest(engineer).message()
    address = f"http://testserver/digest/unsubscribe/{token_of(engineer)}/"
    assert headers["List-Unsubscribe"] == f"<{address}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in digest(engineer).body


def test_the_token_is_of_one_person_and_cannot_be_made_up(engineer, colleague):
    assert user_of(token_of(engineer)) == engineer
    assert token_of(engineer) != token_of(colleague)
    signature = token_of(engineer).partition(".")[2]
    for made_up in ("", "x", str(engineer.id), f"{colleague.id}.{signature}", f"nobody.{signature}", "a\0b"):
        assert user_of(made_up) is None


def test_as_many_queries_for_one_session_as_for_many(
    digest, team_admin, engineer, django_assert_max_num_queries, django_assert_num_queries
):
    SessionFactory(user=engineer, started_at=THEN)
    with django_assert_max_num_queries(8) as few:
        digest(team_admin)
    for number in range(40):
        who = UserFactory(account=engineer.account)
        SessionFactory(user=who, started_at=THEN, status="escalated", domain=DomainFactory(name=f"D{number}"))
    with django_assert_num_queries(len(few)):
        digest(team_admin)
    with django_assert_num_queries(len(few)):
        digest(engineer)
