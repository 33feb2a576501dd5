"""With names hidden no page of the account tells an engineer or a team admin what a colleague is called."""

import pytest

from tests.isolation.places import place_of, routes

# Who manages the users has to know them, and everybody has their own profile.
WITH_NAMES = ("settings/users/", "analytics/settings/users.", "settings/psa/<slug:provider>/members/")


@pytest.fixture
def hidden(north):
    north.account.names_hidden = True
    north.account.save()
    return north


@pytest.mark.parametrize("viewer", ["engineer", "team_admin"])
def test_no_page_names_a_colleague(viewer, hidden, answers):
    people = [hidden.engineer, hidden.colleague, hidden.team_admin]
    others = [person for person in people if person != getattr(hidden, viewer)]
    visited, wrong = 0, []
    for route in routes():
        if route.startswith(WITH_NAMES):
            continue
        for path in map(hidden.path, place_of(route).paths):
            response = answers(viewer, path)
            visited += response.status_code == 200
            text = response.said
            wrong += [
                (path, word) for person in others for word in (person.name, person.email) if word in text
            ]
    assert wrong == []
    assert visited > 10


def test_numbers_stand_in_their_place(hidden, answers):
    body = answers("team_admin", "/sessions/?period=all").content.decode()
    assert "Engineer 1" in body
    assert "Engineer 2" in body
    assert "Engineer 3 (you)" not in body  # the team admin has no session

    team = answers("team_admin", "/analytics/").content.decode()
    assert "Engineer 1" in team
    for format in ("csv", "xlsx"):
        export = answers("team_admin", f"/analytics/sessions.{format}?period=all").said
        assert "Engineer 1" in export
        assert "NORTHMARK problem" in export
    api = answers("team_admin", "/api/v1/analytics/team").json()
    assert {row["name"] for row in api["top_engineers"]} == {"Engineer 1", "Engineer 2"}
    chosen = answers("team_admin", f"/sessions/?period=all&engineer_id={hidden.engineer.id}").content.decode()
    assert "Engineer: <b>Engineer 1</b>" in chosen
