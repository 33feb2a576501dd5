"""Ids of the other account in query strings, and what a session shows to whom."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry

from resolutionflow.administration.tenant import TenantAdmin
from resolutionflow.models import ApiToken
from resolutionflow.tenancy.schema import tenant_models
from tests.isolation.houses import COMMENT
from tests.isolation.places import TEAM_PANELS, VIEWERS

PANELS = [f"/analytics/panels/{panel}/" for panel in TEAM_PANELS]
API = "/api/v1/analytics/team"
TENANT_ADMINS = [a for a in admin.site._registry.values() if isinstance(a, TenantAdmin)]


def foreign_ids(house):
    rows = house.rows
    return {
        "engineer_id": house.engineer.id,
        "client_id": rows["client"].id,
        "flow_id": rows["flow"].id,
        "domain_id": rows["domain"].id,
        "session_id": rows["session"].id,
        "node_id": rows["step"].node_id.lower(),
        "user": house.engineer.id,
        "account_id": house.account.id,
    }


@pytest.mark.parametrize("viewer", ["engineer", "team_admin", "super_admin"])
def test_the_session_list_finds_nothing_by_ids_of_another_account(viewer, north, south, answers):
    for name, value in foreign_ids(south).items():
        response = answers(viewer, f"/sessions/?{urlencode({'period': 'all', name: value})}")
        assert response.status_code == 200
        assert "SOUTHMARK" not in response.content.decode().replace(south.account.name, ""), name
        if name in ("engineer_id", "client_id", "flow_id", "domain_id", "node_id"):
            assert "No sessions here" in response.content.decode(), name


@pytest.mark.parametrize("path", ["/analytics/", *PANELS])
@pytest.mark.parametrize("viewer", ["team_admin", "super_admin"])
def test_analytics_know_no_engineer_or_client_of_another_account(viewer, path, south, answers):
    ids = foreign_ids(south)
    assert answers(viewer, f"{path}?engineer_id={ids['engineer_id']}").status_code == 404
    assert answers(viewer, f"{path}?client_id={ids['client_id']}").status_code == 404


@pytest.mark.parametrize("name", ["engineer_id", "client_id"])
def test_nor_does_the_api(name, north, south, answers):
    value = foreign_ids(south)[name]
    by_login = answers("team_admin", f"{API}?{name}={value}")
    by_token = answers(
        "anonymous", f"{API}?{name}={value}", headers={"Authorization": f"Bearer {north.token}"}
    )
    assert (by_login.status_code, by_token.status_code) == (404, 404)
    unknown = answers("team_admin", f"{API}?{name}=00000000-0000-7000-8000-000000000000")
    assert unknown.json() == by_login.json() == by_token.json()


def test_the_api_of_one_account_says_nothing_of_the_other(north, south, answers):
    for house, other in ((north, "SOUTHMARK"), (south, "NORTHMARK")):
        response = answers("anonymous", API, headers={"Authorization": f"Bearer {house.token}"})
        assert response.status_code == 200
        assert house.mark in response.content.decode()
        assert other not in response.content.decode()


def test_a_super_admin_names_the_account_of_each_call(north, south, answers):
    for viewer in ("unchosen", "super_admin"):  # the choice on the pages does not count here
        response = answers(viewer, API)
        assert (response.status_code, response.json()) == (403, {"detail": "Name an account"})
        assert answers(viewer, f"{API}?account=").status_code == 403
        assert answers(viewer, f"{API}?account=nobody").status_code == 404
        assert answers(viewer, f"{API}?account=%00").status_code == 404
        response = answers(viewer, f"{API}?account={south.account.slug}")
        assert response.status_code == 200
        assert "SOUTHMARK" in response.content.decode()
        assert "NORTHMARK" not in response.content.decode()


def test_from_others_a_foreign_account_does_not_exist(north, south, answers):
    foreign = answers("team_admin", f"{API}?account={south.account.slug}")
    unknown = answers("team_admin", f"{API}?account=nobody")
    assert (foreign.status_code, foreign.json()) == (404, unknown.json())
    assert answers("team_admin", f"{API}?account={north.account.slug}").status_code == 200
    assert answers("engineer", f"{API}?account={north.account.slug}").status_code == 403


def test_a_token_ends_with_its_user_or_when_it_is_revoked(north, answers):
    bearer = {"Authorization": f"Bearer {north.token}"}
    assert answers("anonymous", API, headers=bearer).status_code == 200
    north.team_admin.is_active = False
    north.team_admin.save()
    assert answers("anonymous", API, headers=bearer).status_code == 401
    north.team_admin.is_active = True
    north.team_admin.save()
    token = ApiToken.objects.get(user=north.team_admin)
    token.revoke(token.created_at)
    assert answers("anonymous", API, headers=bearer).status_code == 401
    assert answers("anonymous", API, headers={"Authorization": "Bearer ü\0"}).status_code == 401


@pytest.mark.parametrize("model_admin", TENANT_ADMINS, ids=lambda a: a.opts.model_name)
def test_no_filter_of_the_back_office_reaches_another_account(model_admin, south, answers):
    path = f"/admin/{model_admin.opts.app_label}/{model_admin.opts.model_name}/"
    queries = {"q": "SOUTHMAR", "id__exact": south.rows[model_admin.opts.model_name].id}
    for field in model_admin.opts.fields:
        if field.is_relation:
            target = south.rows.get(field.related_model._meta.model_name)
            queries[f"{field.name}__id__exact"] = target.id if target else south.account.id
            queries[f"{field.name}__isnull"] = "False"
    queries |= {"account__slug": "southmark", "_to_field": "account", "_popup": "1", "p": "7", "o": "1.2"}
    for name, value in queries.items():
        response = answers("super_admin", f"{path}?{urlencode({name: value})}", follow=True)
        assert response.status_code in (200, 400), name
        body = response.content.decode().replace(south.account.name, "").replace(south.account.slug, "")
        assert "SOUTHMARK" not in body, name


@pytest.mark.parametrize("term", ["", "SOUTHMAR"])
def test_autocomplete_offers_rows_of_the_account_only(term, north, south, answers):
    address = f"/admin/autocomplete/?app_label=flowpilot&model_name=flow&field_name=domain&term={term}"
    found = [row["text"] for row in answers("super_admin", address).json()["results"]]
    assert found == ([] if term else ["NORTHMARK domain"])


def test_the_start_of_the_back_office_recalls_nothing_done_in_another_account(north, south, as_viewer):
    root = as_viewer("super_admin", south.account)
    client = south.rows["client"]
    root.post(
        f"/admin/flowpilot/client/{client.id}/change/", {"name": "SOUTHMARK client renamed"}, follow=True
    )
    assert LogEntry.objects.get().action_flag == CHANGE
    root.post("/accounts/choose/", {"account": north.account.slug})
    assert "SOUTHMARK client renamed" not in root.get("/admin/").content.decode()


def test_bulk_deletion_ignores_rows_of_another_account(north, south, as_viewer):
    root = as_viewer("super_admin")
    chosen = {"action": "delete_selected", "_selected_action": [south.rows["client"].id], "post": "yes"}
    body = root.post("/admin/flowpilot/client/", chosen, follow=True).content.decode()
    assert "SOUTHMARK client" not in body


def test_a_colleagues_session_is_forbidden_until_it_asks_for_help(north, answers):
    assert answers("engineer", f"/sessions/{north.colleague_session.id}/").status_code == 403
    assert answers("engineer", f"/sessions/{north.wanted_session.id}/").status_code == 200
    assert answers("team_admin", f"/sessions/{north.colleague_session.id}/").status_code == 200


def test_a_colleagues_session_stands_in_no_list_of_an_engineer(north, answers):
    for query in ("period=all", f"period=all&engineer_id={north.colleague.id}", "period=all&q=problem"):
        body = answers("engineer", f"/sessions/?{query}").content.decode()
        assert "NORTHMARK other problem" not in body
    assert "NORTHMARK cry for help" in answers("engineer", "/sessions/?help=wanted").content.decode()


def test_an_export_holds_no_colleagues_session_and_no_ones_stars_but_the_own(north, answers):
    for format in ("csv", "xlsx"):
        address = f"/analytics/sessions.{format}?period=all"
        own = answers("engineer", address).said
        assert "NORTHMARK problem" in own
        assert COMMENT in own
        assert "NORTHMARK other problem" not in own
        assert "NORTHMARK cry for help" not in own
        assert "colleague" not in own
        team = answers("team_admin", address).said
        assert "NORTHMARK other problem" in team
        assert "NORTHMARK colleague" in team
        assert COMMENT not in team
        assert "SOUTHMARK" not in team
    refused = answers("engineer", "/analytics/sessions.csv?help=wanted")
    assert refused.status_code == 403
    assert "NORTHMARK cry for help" not in refused.said
    assert "NORTHMARK cry for help" in answers("team_admin", "/analytics/sessions.csv?help=wanted").said


@pytest.mark.parametrize("viewer", VIEWERS)
def test_stars_and_comment_are_for_the_engineer_of_the_session(viewer, north, answers):
    session, rating = north.rows["session"], north.rows["sessionrating"]
    own = f"/sessions/{session.id}/"
    for path in (
        own,
        f"/sessions/{north.colleague_session.id}/",
        "/sessions/?period=all",
        "/analytics/",
        API,
        f"{API}?account={north.account.slug}",
        f"/admin/flowpilot/session/{session.id}/change/",
        f"/admin/ratings/steprating/{north.rows['steprating'].id}/change/",
        "/admin/ratings/steprating/",
        f"/admin/ratings/sessionrating/{rating.id}/change/",
    ):
        body = answers(viewer, path, follow=True).content.decode()
        assert (COMMENT in body) == (viewer == "engineer" and path == own), path
        assert ("2 of 5 stars" in body) == (viewer == "engineer" and path == own), path


@pytest.mark.parametrize(
    ("viewer", "found"), [("engineer", ["problem"]), ("colleague", ["other problem"]), ("team_admin", [])]
)
def test_the_filter_by_stars_finds_own_sessions_only(viewer, found, answers):
    body = answers(viewer, "/sessions/?period=all&rating=2").content.decode()
    assert [text for text in ("problem", "other problem") if f"NORTHMARK {text}" in body] == found


def test_the_back_office_cannot_be_asked_for_stars(answers):
    for query in ("rating__rating=2", "rating__comment__contains=private", "step_ratings__comment__isnull=0"):
        response = answers("super_admin", f"/admin/flowpilot/session/?{query}", follow=True)
        assert response.status_code == 400 or "NORTHMARK problem" not in response.content.decode(), query


def test_there_is_no_list_of_ratings_with_their_givers():
    shown = {model for model in tenant_models() if model in admin.site._registry}
    assert "sessionrating" not in {model._meta.model_name for model in shown}
