"""A name that nobody can see is none, whichever way it comes in."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from flowpilot.flows import importing
from flowpilot.models import Client, Domain, Flow
from resolutionflow.storable import visible
from resolutionflow.tests.pages import read

INVISIBLE = "\u200b\u2060\ufeff \u00a0\x07"
LEAF = {"id": "root", "type": "outcome", "outcome": "resolved", "title": "Done"}


@pytest.mark.parametrize("text", ["", " ", INVISIBLE, "\u202e\u2066", "\u3000", "\x00"])
def test_nothing_to_see(text):
    assert not visible(text)


@pytest.mark.parametrize("text", ["a", "\u200ba", "漢", "😀", "\u200fעברית", "-"])
def test_something_to_see(text):
    assert visible(text)


@pytest.mark.parametrize("model", [Client, Domain, Flow])
def test_no_row_gets_it(account, model):
    with pytest.raises(ValidationError, match="can be seen"):
        model(name=INVISIBLE).full_clean(exclude=["account"])


def test_neither_the_api_nor_a_file_nor_a_form_gives_it(client, team_admin):
    client.force_login(team_admin)
    body = json.dumps({"name": INVISIBLE})
    refused = client.post("/api/v1/flows", body, content_type="application/json")
    assert refused.status_code == 422
    assert "can be seen" in refused.content.decode()
    file = importing.read(json.dumps({"name": "VPN", "domain": INVISIBLE, "structure": LEAF}))
    with pytest.raises(ValidationError, match="can be seen"):
        importing.as_new_flow(file, name="VPN", user=team_admin, now=timezone.now())
    with pytest.raises(ValidationError, match="can be seen"):
        importing.as_new_flow(file, name=INVISIBLE, user=team_admin, now=timezone.now())
    page = client.post("/flows/new/", {"name": INVISIBLE, "kind": "procedural"})
    assert page.status_code == 422
    assert read(page).one("div", id="id_name_error").text
    assert not Flow.objects.exists()
    assert not Domain.objects.exists()
