"""Every route: who may open it, what a row of another account answers, and that nothing of that account is shown.

Each test collects what is wrong, so that one run tells everything.
"""

import re

import pytest
from django.urls import resolve

from resolutionflow.api import api
from resolutionflow.tenancy.schema import tenant_models
from tests.isolation.places import PLACES, PUBLIC_ROUTES, SIGN_IN, VIEWERS, place_of, routes

MEMBERS = [viewer for viewer in VIEWERS if viewer not in ("anonymous", "unchosen")]
SAY_SO_BY_THEIR_ANSWER = ("admin/", "api/v1/", "accounts/password/change/")


def visits(house, of=None):
    """(place, address) of every route, with the ids of the house."""
    for route in of if of is not None else routes():
        for pattern in place_of(route).paths:
            yield place_of(route), house.path(pattern)


def open_to_all(path):
    """Whether everybody gets the same there; a sign-in page knows who is there."""
    route = resolve(path.partition("?")[0]).route
    return route in PUBLIC_ROUTES and not route.startswith("accounts/")


def of_rows():
    return [route for route in routes() if place_of(route).of_rows and not place_of(route).installation]


def names(house, response, place, viewer):
    """Whether the answer bears the house's mark. Super admins may read the names of accounts and users."""
    body = response.said
    if place.installation and viewer in ("unchosen", "super_admin"):
        return any(f"{house.mark} {row}" in body for row in ("client", "flow", "domain", "problem", "step"))
    if viewer in ("unchosen", "super_admin"):  # the switch in the frame has the accounts
        body = body.replace(house.account.name, "").replace(house.account.slug, "")
    return house.mark.lower() in body.lower()


def test_every_route_is_part_of_the_walk():
    assert [route for route in routes() if place_of(route) is None] == []
    assert [route for route in PLACES if route not in routes()] == []


def test_every_operation_of_the_api_is_part_of_the_walk():
    known = {"/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route) for route in routes()}
    assert set(api.get_openapi_schema()["paths"]) <= known


def test_the_houses_have_a_row_in_every_tenant_table(north):
    assert {model._meta.model_name for model in tenant_models()} <= set(north.rows)


def test_each_view_says_itself_that_it_is_behind_the_sign_in(north):
    guarded = [
        route
        for route in routes()
        if route not in PUBLIC_ROUTES and not route.startswith(SAY_SO_BY_THEIR_ANSWER)
    ]
    views = {path: resolve(path.partition("?")[0]).func for _, path in visits(north, guarded)}
    assert len(views) >= 9
    assert [
        path
        for path, view in views.items()
        if not (getattr(view, "account_scoped", False) or getattr(view, "signed_in", False))
    ] == []


def test_nobody_gets_in_without_signing_in(north, answers, answer_of):
    wrong = []
    for _, path in visits(north, [route for route in routes() if route not in PUBLIC_ROUTES]):
        page, post = answers("anonymous", path), answers("anonymous", path, "post")
        given = {answer_of(page, path), answer_of(post, path)}
        if not given & {SIGN_IN, 401} or not given <= {SIGN_IN, 401, 405}:
            wrong.append((path, page.status_code, page.headers.get("Location"), post.status_code))
        if north.mark in page.said + post.said:
            wrong.append((path, "names a row"))
    assert wrong == []


@pytest.mark.parametrize("viewer", VIEWERS)
def test_everybody_gets_what_their_role_allows(viewer, north, south, answers, answer_of):
    wrong = []
    for place, path in visits(north):
        response = answers(viewer, path)
        if (given := answer_of(response, path)) != place.answers[viewer]:
            wrong.append((path, given, place.answers[viewer]))
        if names(south, response, place, viewer):
            wrong.append((path, "names a row of the other account"))
        rules = response.headers.get("Cache-Control", "")
        if (
            viewer != "anonymous"
            and not open_to_all(path)
            and not {"no-store", "private"} <= {*rules.split(", ")}
        ):
            wrong.append((path, f"may be kept by a cache: {rules}"))
    assert wrong == []


@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_post_does_nothing_for_those_who_may_not(viewer, north, south, answers, answer_of):
    wrong = []
    for place, path in visits(north):
        response = answers(viewer, path, "post", data={"unknown": "field"})
        given, allowed = answer_of(response, path), place.answers[viewer]
        if response.status_code >= 500 or (
            allowed in (401, 403, 404, SIGN_IN) and given not in (allowed, 405)
        ):
            wrong.append((path, given, allowed))
        if names(south, response, place, viewer):
            wrong.append((path, "names a row of the other account"))
    assert wrong == []


@pytest.mark.parametrize("viewer", MEMBERS)
def test_a_row_of_another_account_does_not_exist(viewer, north, south, answers):
    wrong = []
    for place, path in visits(south, of_rows()):
        for response in (answers(viewer, path, follow=True), answers(viewer, path, "post", follow=True)):
            if response.status_code not in (403, 404, 405):
                wrong.append((path, response.status_code))
            if names(south, response, place, viewer):
                wrong.append((path, "names a row of the other account"))
    assert wrong == []


@pytest.mark.parametrize("viewer", ["engineer", "team_admin"])
def test_such_a_row_is_not_even_forbidden(viewer, north, south, answers):
    assert answers(viewer, f"/sessions/{south.rows['session'].id}/").status_code == 404
    assert answers(viewer, f"/sessions/{south.wanted_session.id}/").status_code == 404


def test_htmx_is_sent_to_the_sign_in_as_a_whole(north, answers):
    response = answers("anonymous", "/sessions/", headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=%2Fsessions%2F"
    back = {"HX-Request": "true", "HX-Current-URL": "http://testserver/analytics/?period=7d"}
    response = answers("anonymous", "/analytics/panels/summary/", headers=back)
    assert response.headers["HX-Redirect"].endswith(
        "?next=http%3A%2F%2Ftestserver%2Fanalytics%2F%3Fperiod%3D7d"
    )
