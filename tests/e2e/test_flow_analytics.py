"""A flow's analytics in a real browser, by a team admin and by an engineer. The rows are those of walks.py."""

import csv
import struct
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.people import log_in
from tests.e2e.team_page import listed, stat

pytestmark = pytest.mark.browser


def cells(page, panel, name):
    return page.locator(
        f"#panel-{panel} tr", has=page.get_by_role("rowheader", name=name, exact=True)
    ).locator("td")


def tab(page, name):
    return page.get_by_role("navigation", name="Flow").get_by_role("link", name=name, exact=True)


def test_a_team_admin_goes_from_the_flow_to_its_figures_and_to_the_sessions_behind_them(
    page, walked, team_admin
):
    log_in(page, team_admin)
    page.goto(f"/flows/{walked.id}/")
    tab(page, "Analytics").click()
    expect(page).to_have_url(f"/analytics/flows/{walked.id}/")
    expect(stat(page, "Usage")).to_have_text("12")
    expect(page.locator("#chart-days .main-svg").first).to_be_visible()
    expect(page.locator("#chart-outcomes g.slice").first).to_be_visible()
    steps = cells(page, "steps", "Repair Office")
    expect(steps.nth(0)).to_have_text("8")
    expect(steps.nth(1)).to_contain_text("25.0 %")
    expect(steps.nth(3)).to_have_text("30 s")
    steps.nth(1).get_by_role("link").click()
    listed(page, 2)


def test_the_tree_shows_where_the_sessions_went(page, walked, team_admin):
    log_in(page, team_admin)
    page.goto(f"/analytics/flows/{walked.id}/?version=2")
    tree = page.locator("#panel-tree")
    expect(tree.locator(".node")).to_have_count(3)
    repair = tree.locator(".node", has_text="Repair Office")
    expect(repair).to_contain_text("8 visits · 30 s")
    expect(repair).to_contain_text("25.0 % left here")
    repair.locator("a").first.click()
    expect(tree.get_by_role("complementary", name="Step 3")).to_contain_text("25.0 % left here")
    page.get_by_label("Version", exact=True).select_option("1")
    expect(page).to_have_url(f"/analytics/flows/{walked.id}/?period=30d&version=1")
    expect(stat(page, "Usage")).to_have_text("1")
    expect(tree).to_contain_text("Version 1, with the figures of its own sessions")


def test_an_engineer_sees_the_same_figures_as_plain_text(page, walked, engineer):
    log_in(page, engineer)
    page.goto(f"/analytics/flows/{walked.id}/")
    expect(page.locator("#panel-steps")).to_contain_text("25.0 %")
    expect(page.locator("#chart-days .main-svg").first).to_be_visible()
    expect(page.locator("main a.figure")).to_have_count(0)
    page.locator("#chart-days .nsewdrag").hover()
    expect(page.locator("#chart-days .chart-plot")).not_to_have_class("opens-link")


def test_each_table_as_a_file_and_a_chart_as_a_picture(page, walked, engineer):
    log_in(page, engineer)
    page.goto(f"/analytics/flows/{walked.id}/")
    menu = page.locator("details.export", has=page.get_by_label("Export Steps", exact=True))
    menu.locator("summary").click()
    with page.expect_download() as download:
        menu.get_by_text("CSV", exact=True).click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    figures = {row["Step"]: (row["Visits"], row["Dropped off"]) for row in rows}
    assert figures["Repair Office"] == ("8", "2")
    assert figures["Does Outlook start in safe mode?"] == ("9", "0")  # once before, in rows.py
    menu = page.locator("#panel-days details.export")
    menu.locator("summary").click()
    with page.expect_download() as download:
        menu.get_by_text("Picture (PNG)", exact=True).click()
    picture = Path(download.value.path()).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (2000, 960)
