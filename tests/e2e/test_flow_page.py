"""The flow page in a browser: the map by mouse and by keyboard, the outline, and a flow from a file and back."""

import re

import pytest
from playwright.sync_api import expect

from flowpilot.flows.library import starter_library
from flowpilot.flows.structure import nodes_of
from flowpilot.models import Flow
from flowpilot.tests.factories import FlowFactory, FlowVersionFactory
from flowpilot.tests.structures import leaf, question
from tests.e2e.axe import axe
from tests.e2e.looks import NARROW, WIDE
from tests.e2e.people import log_in

pytestmark = pytest.mark.browser


def published(structure, **fields):
    flow = FlowFactory(**fields)
    flow.current_version = FlowVersionFactory(flow=flow, structure=structure)
    flow.save()
    return flow


def hundred():
    """Fifty questions, each with a way on, a way out and a way back to the start."""
    steps = [question(f"q{n}", f"q{n + 1}", f"e{n}", "q0") for n in range(1, 50)]
    ends = [leaf(f"e{n}") for n in range(50)]
    return question("q0", "q1", "e0", children=[*steps, *ends, leaf("q50")])


def boxes_on(page):
    """Where the boxes of the map are, and whether each text lies in its box."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.node')].map(node => {
            const box = node.querySelector('.box').getBBox();
            const texts = [...node.querySelectorAll('.card-link text')].map(text => text.getCTM().e - node.getCTM().e
                + (text.getBBox().x + text.getBBox().width) * text.getCTM().a);
            return {step: node.dataset.step, right: Math.max(...texts), width: box.width * node.getCTM().a};
        })"""
    )


def test_every_flow_of_the_library_is_readable_on_the_map(page, team, team_admin):
    log_in(page, team_admin)
    for one in starter_library():
        page.goto(f"/flows/{published(one.structure, name=one.name).id}/")
        boxes = boxes_on(page)
        assert len(boxes) == sum(1 for _ in nodes_of(one.structure))
        assert [box for box in boxes if box["right"] > box["width"]] == [], one.name


def test_a_hundred_steps_by_mouse(page, team, engineer):
    flow = published(hundred())
    log_in(page, engineer)
    page.goto(f"/flows/{flow.id}/")
    assert len(boxes_on(page)) == 101
    level = page.get_by_role("button", name="Zoom to 100 %")
    page.get_by_role("button", name="Whole map").click()
    small = level.inner_text()
    page.get_by_role("button", name="Zoom in").click()
    expect(level).not_to_have_text(small)
    level.click()
    expect(level).to_have_text("100 %")
    page.get_by_role("link", name="1. Q0").click()
    panel = page.get_by_role("complementary", name="Step 1")
    expect(panel.get_by_role("heading", name="Q0")).to_be_visible()
    panel.get_by_role("link", name="to step 2").click()
    expect(page.get_by_role("complementary", name="Step 2")).to_be_visible()
    expect(page).to_have_url(re.compile(r"#step-2$"))
    page.reload()
    expect(page.get_by_role("complementary", name="Step 2")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".map-step")).to_be_hidden()
    tag = page.get_by_role("link", name="3: back to step 1").first
    tag.click()
    expect(page.get_by_role("complementary", name="Step 1")).to_be_visible()
    axe(page)


def test_the_map_by_keyboard(page, team, engineer):
    flow = published(question("a", "b", "c", "a", children=[leaf("b"), leaf("c")]))
    log_in(page, engineer)
    page.goto(f"/flows/{flow.id}/")
    page.get_by_role("link", name="1. A").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("link", name="2. B")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="3. C")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Step 3")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".map-step")).to_be_hidden()
    expect(page.get_by_role("link", name="3. C")).to_be_focused()


@pytest.mark.parametrize("look", [NARROW], ids=str)
def test_a_phone_shows_the_outline_first(page, team, engineer):
    flow = published(starter_library()[0].structure)
    log_in(page, engineer)
    page.goto(f"/flows/{flow.id}/")
    expect(page.locator(".map")).to_be_hidden()
    expect(page.locator("#step-1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)
    page.get_by_text("Map", exact=True).click()
    expect(page.locator(".map")).to_be_visible()
    expect(page.locator(".flow-outline")).to_be_hidden()
    axe(page)


def test_a_flow_leaves_as_a_chart_and_comes_back(page, complaints, team, team_admin, tmp_path):
    complaints.expect("status of 422")
    one = starter_library()[0]
    flow = published(one.structure, name=one.name)
    log_in(page, team_admin)
    page.goto(f"/flows/{flow.id}/")
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Mermaid flowchart").click()
    file = tmp_path / "flow.mmd"
    download.value.save_as(file)
    page.goto("/flows/import/")
    page.get_by_label("Or paste it here").fill("flowchart TD\n a{Is it on?} -->|Yes| b[")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 2: “]” is missing after the text.")
    expect(page.get_by_label("Or paste it here")).to_have_value(re.compile("Is it on"))
    axe(page)
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("Name").fill("Once more")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("heading", name="Once more", level=1)).to_be_visible()
    # the heading is there before the end of the page
    expect(page.locator(".node")).to_have_count(sum(1 for _ in nodes_of(one.structure)))
    assert Flow.objects.get(name="Once more").status == "draft"


@pytest.mark.parametrize("look", [WIDE], ids=str)
def test_what_changed_is_told(page, team, engineer):
    flow = published(question("a", "b", "c", children=[leaf("b"), leaf("c")]))
    FlowVersionFactory(
        flow=flow, number=2, structure=question("a", "b", "d", children=[leaf("b"), leaf("d")])
    )
    log_in(page, engineer)
    page.goto(f"/flows/{flow.id}/")
    page.get_by_role("link", name="What changed in version 2").click()
    expect(
        page.get_by_text("1 step changed, 1 step added, 1 step removed from version 1 to version 2.")
    ).to_be_visible()
    axe(page)
    page.goto(f"/flows/{flow.id}/versions/2/")
    axe(page)
