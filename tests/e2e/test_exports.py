"""Downloads and paper, as a browser makes them. The rows are those of rows.py."""

import csv
import re
import struct
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.e2e.axe import axe
from tests.e2e.looks import DARK, NARROW_DARK, WITHOUT_SCRIPT
from tests.e2e.people import log_in
from tests.e2e.team_page import listed

pytestmark = pytest.mark.browser

A4 = re.compile(rb"/MediaBox \[0 0 59[56]\S* 84[12]\S*\]")


@pytest.fixture
def page(page, team, team_admin):
    log_in(page, team_admin)
    return page


def downloaded(page, what, entry):
    """The name and the path of what an entry of an Export menu gives."""
    menu = page.locator("details.export", has=page.get_by_label(f"Export {what}", exact=True))
    menu.locator("summary").click()
    with page.expect_download() as download:
        menu.get_by_text(entry, exact=True).click()
    return download.value.suggested_filename, download.value.path()


def lines(path):
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def pdf(page):
    """What is printed on A4: the file, and on how many pages."""
    content = page.pdf(format="A4", print_background=False)
    assert A4.search(content)
    return content, len(re.findall(rb"/Type /Page\b", content))


def words_on_paper(page):
    page.emulate_media(media="print")
    try:
        return page.locator("body").inner_text()
    finally:
        page.emulate_media(media="screen")


def test_the_list_as_csv_and_xlsx(page):
    page.goto("/sessions/?period=7d&outcome=resolved")
    listed(page, 2)
    name, path = downloaded(page, "sessions", "CSV")
    assert name == "sessions-2026-03-04-to-2026-03-10.csv"
    problems = ["Outlook asks for the password again", "Outlook hangs at start"]
    assert [row["Problem"] for row in lines(path)] == problems
    page.get_by_role("link", name="All time", exact=True).click()  # a swap: the menu follows it
    listed(page, 5)
    name, path = downloaded(page, "sessions", "Excel (XLSX)")
    assert name == "sessions-all-time.xlsx"
    assert load_workbook(BytesIO(Path(path).read_bytes())).active.max_row == 6
    expect(page).to_have_url(re.compile(r"/sessions/\?"))
    expect(page.locator("details.export[open]")).to_have_count(0)


def test_a_panel_after_a_swap(page, team):
    page.goto("/analytics/?period=7d")
    page.get_by_label("Client", exact=True).select_option("Harbour Dental")
    expect(page.locator("#panel-flows details.export a").first).to_have_attribute(
        "href", f"/analytics/panels/flows.csv?period=7d&client_id={team.harbour.id}"
    )
    name, path = downloaded(page, "Top flows", "CSV")
    assert name == "team-flows-2026-03-04-to-2026-03-10.csv"
    assert [(row["Flow"], row["Sessions"]) for row in lines(path)] == [
        ("Outlook does not start", "2"),
        ("VPN drops", "1"),
    ]


@pytest.mark.parametrize("look", [NARROW_DARK], ids=str)
def test_a_chart_as_a_picture_on_white(page):
    page.goto("/analytics/?period=30d")
    expect(page.locator("#chart-outcomes .main-svg").first).to_be_visible()
    name, path = downloaded(page, "Sessions per day", "Picture (PNG)")
    content = Path(path).read_bytes()
    assert name == "team-outcomes-2026-02-09-to-2026-03-10.png"
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (2000, 960)
    assert len(content) > 20_000
    corner = page.evaluate(
        """async (bytes) => {
            const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
            const canvas = new OffscreenCanvas(1, 1).getContext("2d");
            canvas.drawImage(picture, 0, 0);
            return [...canvas.getImageData(0, 0, 1, 1).data];
        }""",
        list(content),
    )
    assert corner == [255, 255, 255, 255]
    expect(page.locator("details.export[open]")).to_have_count(0)


@pytest.mark.parametrize("look", [WITHOUT_SCRIPT], ids=str)
def test_without_script_there_are_files_but_no_picture(page):
    page.goto("/analytics/?period=7d")
    assert downloaded(page, "Sessions per day", "CSV")[0] == "team-outcomes-2026-03-04-to-2026-03-10.csv"
    page.goto("/analytics/?period=7d")
    page.get_by_label("Export Sessions per day").click()
    expect(page.get_by_text("Picture (PNG)")).to_be_hidden()


def test_a_faulty_export_says_what_is_wrong(page, complaints):
    complaints.expect("status of 422")
    page.goto("/analytics/sessions.csv?status=lost&period=7d")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was exported")
    expect(page.get_by_role("alert")).to_contain_text("Status: Unknown value.")
    axe(page)
    page.get_by_role("link", name="Back to the page").click()
    listed(page, 6)


@pytest.mark.parametrize("look", [DARK], ids=str)
def test_a_page_on_paper_has_its_figures_in_black_and_no_controls(page):
    page.goto("/analytics/?period=7d")
    expect(page.locator("#chart-outcomes .main-svg").first).to_be_visible()
    _, pages = pdf(page)
    assert pages in (1, 2)
    words = words_on_paper(page)
    assert "4 Mar 2026 – 10 Mar 2026" in words
    assert "Jonas Weber" in words
    for control in ("Export", "30 days", "All clients", "Print sheet", "Dana Whitfield", "Show data"):
        assert control not in words
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(media="screen")


def test_the_chart_is_redrawn_for_paper_and_back(page):
    page.goto("/analytics/?period=30d")
    plot = page.locator("#chart-outcomes .main-svg").first
    expect(plot).to_be_visible()
    wide = plot.get_attribute("width")
    assert float(wide) > 660
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(plot).to_have_attribute("width", "660")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(plot).to_have_attribute("width", wide)


def test_what_is_printed_for_a_client_names_nobody(page, team):
    for address in (
        f"/analytics/?period=90d&client_id={team.harbour.id}",
        f"/analytics/?period=90d&client_id={team.harbour.id}&engineer_id={team.amira.id}",
        f"/sessions/?period=90d&client_id={team.harbour.id}",
        f"/sessions/?period=90d&client_id={team.harbour.id}&engineer_id={team.amira.id}",
    ):
        page.goto(address)
        expect(page.get_by_text("Amira Haddad").last).to_be_attached()  # on the screen they stand
        words = words_on_paper(page)
        assert "Harbour Dental" in words
        for name in ("Amira", "Jonas", "Dana"):
            assert name not in words, (address, name)


@pytest.mark.parametrize("look", [NARROW_DARK], ids=str)
def test_the_sheet_of_a_client(page, team):
    page.goto("/analytics/?period=90d")
    page.get_by_role("link", name="Print sheet").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Client sheet")
    axe(page)
    page.get_by_label("Which client?").select_option("Harbour Dental")
    page.get_by_role("button", name="Show the sheet").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbour Dental")
    expect(page.locator("#chart-outcomes .main-svg").first).to_be_visible()
    axe(page)
    _, pages = pdf(page)
    assert pages in (1, 2)
    words = words_on_paper(page)
    assert "11 Dec 2025 – 10 Mar 2026" in words
    assert "Another client" not in words
    page.get_by_role("link", name="7 days", exact=True).click()
    expect(page.locator("figcaption p")).to_contain_text("3 sessions in the 7 days")
    html = page.content()
    for name in ("Amira", "Jonas", "Dana", "Mill Lane", str(team.amira.id), str(team.jonas.id)):
        assert name not in html
    page.evaluate("window.print = () => document.body.dataset.printed = 'yes'")
    page.get_by_role("button", name="Print", exact=True).click()
    expect(page.locator("body")).to_have_attribute("data-printed", "yes")


def test_a_long_list_keeps_its_rows_whole_and_repeats_its_headings(page, team):
    page.goto("/sessions/?period=all")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('tbody tr')).breakInside") == "avoid"
    thead = page.evaluate("getComputedStyle(document.querySelector('thead')).display")
    assert thead == "table-header-group"
    assert page.evaluate("getComputedStyle(document.querySelector('.table-scroll')).overflowX") == "visible"
    page.emulate_media(media="screen")
