"""What a team admin sets for the account."""

from datetime import timedelta

import pytest

from resolutionflow.models import AuditEntry
from resolutionflow.tests.pages import read

URL = "/settings/account/"
HOSTILE = """<script>alert("x")</script> & 'quotes' 😀 עברית =HYPERLINK("x") {{ 7 }}"""
SHOWN = {"name": "Northgate IT", "time_zone": "Europe/London", "idle_hours": "24"}
SHOWN |= {"guided_percent": "65", "exploring_percent": "30"}
AS_IT_IS = SHOWN | {"language": "english"}


@pytest.fixture
def browser(client, team_admin):
    client.force_login(team_admin)
    return client


def test_it_is_for_team_admins(client, engineer):
    assert client.get(URL).status_code == 302
    client.force_login(engineer)
    assert client.get(URL).status_code == 403
    assert client.post(URL, AS_IT_IS | {"name": "Mine"}).status_code == 403
    engineer.account.refresh_from_db()
    assert engineer.account.name == "Northgate IT"


def test_it_shows_what_is_set(browser):
    page = read(browser.get(URL))
    values = {name: page.one("input", id=f"id_{name}").attributes["value"] for name in SHOWN}
    assert values == SHOWN
    languages = page.one("select", id="id_language").all("option")
    assert [option.text for option in languages if "selected" in option.attributes] == ["English"]
    assert "checked" not in page.one("input", id="id_names_hidden").attributes


def test_zones_are_offered(browser):
    zones = [
        option.attributes["value"]
        for option in read(browser.get(URL)).one("datalist", id="time-zones").all("option")
    ]
    assert zones[0] == "UTC"
    assert {"Europe/Berlin", "America/New_York", "Asia/Kolkata"} <= set(zones)
    assert not [zone for zone in zones if zone.startswith("Etc/")]


def test_changes_are_saved_and_audited_with_old_and_new(browser, account, team_admin):
    changed = {"name": HOSTILE, "time_zone": "Asia/Kolkata", "idle_hours": "1.5", "names_hidden": "on"}
    changed |= {"guided_percent": "82.5", "exploring_percent": "0", "language": "german"}
    page = read(browser.post(URL, changed, follow=True))
    assert "saved" in page.one("div", class_="toasts").text
    account.refresh_from_db()
    assert (account.name, account.time_zone, account.idle_limit, account.names_hidden) == (
        HOSTILE,
        "Asia/Kolkata",
        timedelta(minutes=90),
        True,
    )
    thresholds = account.guided_threshold, account.exploring_threshold
    assert (thresholds, account.language) == ((0.825, 0), "german")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.account) == ("account.changed", team_admin, account)
    assert entry.detail == {
        "name": {"old": "Northgate IT", "new": HOSTILE},
        "time_zone": {"old": "Europe/London", "new": "Asia/Kolkata"},
        "idle_limit": {"old": "1 day, 0:00:00", "new": "1:30:00"},
        "names_hidden": {"old": False, "new": True},
        "guided_threshold": {"old": "0.65", "new": "0.825"},
        "exploring_threshold": {"old": "0.3", "new": "0.0"},
        "language": {"old": "english", "new": "german"},
    }
    assert page.one("input", id="id_idle_hours").attributes["value"] == "1.5"


def test_saving_what_stands_writes_nothing(browser):
    assert browser.post(URL, AS_IT_IS).status_code == 302
    assert not AuditEntry.objects.exists()


def test_an_odd_idle_limit_stays_as_it_is(browser, account):
    account.idle_limit = timedelta(hours=10, seconds=1)
    account.save()
    browser.post(URL, AS_IT_IS | {"name": "New", "idle_hours": "10"})
    account.refresh_from_db()
    assert (account.name, account.idle_limit) == ("New", timedelta(hours=10, seconds=1))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 201),
        ("name", "a\0b"),
        ("name", "\u200b\u202e\x1b"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "Factory"),
        ("time_zone", "posix/Europe/Berlin"),
        ("time_zone", ""),
        ("time_zone", "a\0b"),
        ("idle_hours", "0"),
        ("idle_hours", "-3"),
        ("idle_hours", "8785"),
        ("idle_hours", "NaN"),
        ("idle_hours", "1e400"),
        ("idle_hours", "soon"),
        ("guided_percent", "100.1"),
        ("guided_percent", "NaN"),
        ("guided_percent", ""),
        ("exploring_percent", "-1"),
        ("exploring_percent", "65.1"),  # above guided
        ("language", "klingon"),
    ],
)
def test_bad_values_are_said_and_nothing_is_saved(browser, account, field, value):
    response = browser.post(URL, AS_IT_IS | {"name": "New", field: value})
    assert response.status_code == 422
    assert read(response).one("div", id=f"id_{field}_error").text
    account.refresh_from_db()
    assert (account.name, account.time_zone) == ("Northgate IT", "Europe/London")
    assert not AuditEntry.objects.exists()


def test_a_super_admin_sets_the_account_that_is_chosen(client, super_admin, account, other_account):
    client.force_login(super_admin)
    assert client.get(URL).headers["Location"].startswith("/accounts/choose/")
    client.post("/accounts/choose/", {"account": "southgate"})
    client.post(URL, AS_IT_IS | {"name": "Renamed"})
    account.refresh_from_db()
    other_account.refresh_from_db()
    assert (account.name, other_account.name) == ("Northgate IT", "Renamed")


def test_the_language_model_is_offered_only_where_there_is_one(browser, account, settings):
    form = AS_IT_IS | {"name": account.name}
    browser.post("/settings/account/", form | {"language_model_allowed": "on"})
    account.refresh_from_db()
    assert not account.language_model_allowed
    assert "language model" not in browser.get("/settings/account/").content.decode()
    settings.LANGUAGE_MODEL_URL = "https://model.example/v1"
    page = browser.get("/settings/account/").content.decode()
    assert "names of the steps of proposed flows go to the language model" in page
    browser.post("/settings/account/", form | {"language_model_allowed": "on"})
    account.refresh_from_db()
    assert account.language_model_allowed
    entry = AuditEntry.objects.get(action="account.changed")
    assert entry.detail == {"language_model_allowed": {"old": False, "new": True}}
