"""What is stored of a push, its marker, and how long text goes in parts."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from flowpilot.psa.providers.base import AddNote, Kind, Watermark, WireRequest
from flowpilot.psa.providers.connectwise.rendering import CAPS, render
from flowpilot.psa.providers.markers import MARKER, has_marker, new_marker
from flowpilot.psa.providers.texts import MARKER_ROOM, PART_ROOM, clean, note_parts

texts = st.text(max_size=200)
wires = st.builds(
    WireRequest,
    kind=st.sampled_from(Kind),
    method=texts,
    path=texts,
    body=texts,
    ticket=texts,
    marker=texts,
    text=texts,
    match=st.dictionaries(texts, texts, max_size=4),
)


@given(wires)
@settings(max_examples=50)
def test_a_request_comes_back_from_json_as_it_was(wire):
    assert WireRequest.from_json(json.loads(json.dumps(wire.as_json()))) == wire


def test_a_watermark_comes_back_from_json_as_it_was():
    assert Watermark.from_json(json.loads(json.dumps(Watermark("912").as_json()))) == Watermark("912")


def test_markers_are_told_apart():
    markers = {new_marker() for _ in range(1000)}
    assert len(markers) == 1000
    assert all(MARKER.fullmatch(marker) and len(marker) == 16 for marker in markers)


def test_a_marker_is_found_wherever_its_words_stand():
    marker = "RF-7K3M9Q2XT4WPA"
    assert has_marker(f"text\n\nRef {marker}", marker)
    assert has_marker(f"text Ref {marker}.", marker)
    assert has_marker(f"<p>Ref {marker}</p>", marker)
    assert not has_marker(f"Ref {marker}X", marker)
    assert not has_marker(f"Ref X{marker}", marker)
    assert not has_marker("Ref RF-7K3M9Q2XT4WPB", marker)


@given(st.text(min_size=1, max_size=300))
@settings(max_examples=100)
def test_any_text_can_be_sent_and_stored(text):
    if not clean(text):
        return
    wire = render(AddNote("5000", text), "RF-7K3M9Q2XT4WPA")
    assert "\0" not in wire.body
    assert json.loads(wire.body.encode())["text"] == wire.text
    assert wire.text.endswith("Ref RF-7K3M9Q2XT4WPA")


def test_long_text_goes_in_parts_that_fit_and_lose_nothing():
    text = "\n\n".join(f"Step {number}: looked at the switch. It was on." for number in range(400))
    parts = note_parts(text, CAPS)
    assert [re.match(r"\(\d/\d\)", part)[0] for part in parts] == [
        f"({n}/{len(parts)})" for n in range(1, len(parts) + 1)
    ]
    assert all(len(render(AddNote("5000", part), new_marker()).text) <= CAPS.max_note_len for part in parts)
    assert all(part.endswith("on.") for part in parts)
    assert "".join("".join(part.split(" ", 1)[1] for part in parts).split()) == "".join(text.split())
    assert note_parts("short", CAPS) == ["short"]


@given(st.text(alphabet="a. \n", min_size=3900, max_size=9000))
@settings(max_examples=20)
def test_parts_always_fit(text):
    room = CAPS.max_note_len - MARKER_ROOM
    parts = note_parts(text, CAPS)
    assert all(len(part) <= room for part in parts)
    bare = parts if len(parts) == 1 else [part.split(" ", 1)[1] for part in parts]
    assert "".join("".join(bare).split()) == "".join(text.split())
    assert len("(99/99) ") <= PART_ROOM
