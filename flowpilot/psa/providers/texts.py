"""Text on its way into a ticket: without what a ticket system chokes on, in parts that fit, with its marker last."""

import re

from flowpilot.psa.providers.base import Capabilities

# Everything of control but tab and newline, halves of surrogate pairs, and the marks that turn text around.
UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
NEWLINES = re.compile("\r\n?|\u2028|\u2029")
MARKER_ROOM = 24  # "\n\nRef " and the marker
PART_ROOM = 10  # "(99/99) "


def clean(text: str) -> str:
    return UNWANTED.sub("", NEWLINES.sub("\n", text)).strip()


def with_marker(text: str, marker: str) -> str:
    """The marker as the last words. It reads as well where a ticket system shows newlines as spaces."""
    return f"{clean(text)}\n\nRef {marker}".lstrip()


def note_parts(text: str, caps: Capabilities) -> list[str]:
    """The text as one note or, where it is too long, as several that say which they are: "(1/3) …".

    Cuts between paragraphs, lines, sentences or words, in this order; loses nothing but the blanks at the cuts.
    """
    room = caps.max_note_len - MARKER_ROOM
    text = clean(text)
    if len(text) <= room:
        return [text]
    pieces = _pieces(text, room - PART_ROOM)
    return [f"({number}/{len(pieces)}) {piece}" for number, piece in enumerate(pieces, start=1)]


def _pieces(text: str, room: int) -> list[str]:
    pieces = []
    while len(text) > room:
        cut = _cut(text[: room + 1], room)
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces


def _cut(head: str, room: int) -> int:
    """Where the head ends best; in its second half, so that no part is much shorter than it could be."""
    for boundary in ["\n\n", "\n", ". ", " "]:
        cut = head.rfind(boundary, room // 2)
        if cut >= 0:
            return min(cut + len(boundary), room)
    return room
