"""Clients and domains in the settings, as a team admin keeps them. The rows are those of rows.py."""

import pytest
from playwright.sync_api import expect

from flowpilot.tests.factories import ClientFactory, DomainFactory
from tests.e2e.axe import axe, in_every_look
from tests.e2e.looks import NARROW, WIDE, WITHOUT_SCRIPT
from tests.e2e.people import log_in
from tests.e2e.team_page import listed
from tests.e2e.test_hostile_names import NAMES

pytestmark = pytest.mark.browser


@pytest.fixture
def page(page, team, team_admin):
    log_in(page, team_admin)
    return page


def names(page, kind="Clients"):
    return page.get_by_role("table", name=kind, exact=True).get_by_role("rowheader")


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=str)
def test_a_client_is_added_renamed_merged_and_another_deleted(page, complaints):
    complaints.expect("status of 422")
    page.goto("/settings/clients/")
    expect(names(page)).to_have_text(["Harbour Dental", "Mill Lane School"])
    page.get_by_role("link", name="Add client").click()
    dialog = page.get_by_role("dialog", name="Add a client")
    dialog.get_by_label("Name").fill("harbour DENTAL")
    dialog.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("A client with this name exists already.")
    page.get_by_label("Name", exact=True).fill("Harbor")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(names(page)).to_have_text(["Harbor", "Harbour Dental", "Mill Lane School"])

    page.get_by_role("link", name="Harbor", exact=True).click()
    page.get_by_role("button", name="Delete client").click()
    expect(page.get_by_role("status").first).to_contain_text("Harbor is deleted.")

    page.get_by_role("link", name="Mill Lane School").click()
    page.get_by_label("Name", exact=True).fill("Mill Lane")
    page.get_by_label("ID in the PSA").fill("4711")
    page.get_by_role("button", name="Save").click()
    expect(names(page)).to_have_text(["Harbour Dental", "Mill Lane"])

    page.get_by_role("link", name="Mill Lane").click()
    page.get_by_label("Merge into").select_option("Harbour Dental")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("main")).to_contain_text("This cannot be undone")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text(
        "Mill Lane is part of Harbour Dental now: 3 sessions moved."
    )
    page.get_by_role("main").locator("a.figure").click()
    listed(page, 9)


@pytest.mark.parametrize("look", [WITHOUT_SCRIPT], ids=str)
def test_domains_without_script(page):
    page.goto("/settings/domains/")
    page.get_by_role("link", name="Add domain").click()
    page.get_by_label("Name", exact=True).fill("Mail")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Email").click()
    page.get_by_label("Merge into").select_option("Mail")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    page.goto("/settings/domains/")
    expect(names(page, "Domains")).to_have_text(["Mail", "Network"])


def test_hostile_names_and_axe_in_every_look(page):
    for name in NAMES:
        ClientFactory(name=name, psa_company_id=name[:100])
        domain = DomainFactory(name=name)
    addresses = [
        "/settings/clients/",
        "/settings/clients/?q=nothing+like+it",
        "/settings/clients/add/",
        "/settings/domains/",
        f"/settings/domains/{domain.id}/",
        f"/settings/domains/{domain.id}/merge/",
        f"/settings/domains/{domain.id}/merge/?into={DomainFactory(name='V' * 200).id}",
    ]
    for address in addresses:
        page.goto(address)
        in_every_look(page)
    page.goto("/settings/clients/")
    assert set(NAMES) <= set(names(page).all_inner_texts())
    page.get_by_role("link", name="Add client").click()
    axe(page)
