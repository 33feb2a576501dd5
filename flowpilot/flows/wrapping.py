"""How wide text is on the map, and where it breaks: SVG does not wrap by itself.

The widths are those of the product's font. They are a little generous, as another font may take its place.
"""

import unicodedata

# Hundredths of the size of the text, of the printable ASCII characters from the space on, in the weight of titles.
_ASCII = (
    "25 32 52 64 65 100 66 33 37 37 54 67 32 47 32 38 66 42 62 64 67 61 64 58 64 64 32 33 67 67 67 54 "
    "100 73 66 74 72 61 59 75 75 28 58 70 57 92 76 77 65 77 65 65 66 74 73 102 72 71 65 37 38 37 48 47 "
    "35 57 62 58 62 59 39 63 61 26 26 57 26 90 61 61 62 62 40 55 35 61 59 84 57 59 57 45 36 45 67"
)
_WIDTHS = [int(width) / 100 for width in _ASCII.split()]
_SAFETY = 1.03
JOINTS = "/\\?&=-_.,:;@|"


def width_of(text: str, size: float) -> float:
    """About how many pixels wide a line of text of this size is."""
    return size * _SAFETY * sum(map(_width, text))


def _width(char: str) -> float:
    code = ord(char) - 32
    if 0 <= code < len(_WIDTHS):
        return _WIDTHS[code]
    if unicodedata.combining(char) or code < 0:
        return 0.0
    wide = unicodedata.east_asian_width(char) in "WF" or unicodedata.category(char) == "Lu"
    return 1.2 if wide else 0.75  # a capital may be a Щ


def wrapped(text: str, size: float, width: float, most: int) -> tuple[str, ...]:
    """The text in lines that fit, at most so many; the last ends in … where something is left out."""
    lines: list[str] = []
    rest = " ".join(text.split())
    while rest and len(lines) < most:
        line, rest = _first_line(rest, size, width)
        lines.append(line)
    if rest:
        lines[-1] = _shortened(f"{lines[-1]} {rest}", size, width)
    return tuple(lines)


def _first_line(text: str, size: float, width: float) -> tuple[str, str]:
    """What fits on a line, and what does not; a word longer than the line is broken, an address behind a slash or the
    like where that is not too far left."""
    end = _fitting(text, size, width)
    if end >= len(text):
        return text, ""
    space = text.rfind(" ", 0, end + 1)
    if space > 0:
        return text[:space], text[space + 1 :]
    joint = max(text.rfind(char, 0, end) for char in JOINTS) + 1
    cut = joint if joint > end / 2 else end
    return text[:cut], text[cut:]


def _shortened(text: str, size: float, width: float) -> str:
    return text[: _fitting(text, size, width - width_of("…", size))].rstrip() + "…"


def _fitting(text: str, size: float, width: float) -> int:
    """How many characters fit, at least one."""
    taken = 0.0
    for count, char in enumerate(text):
        taken += size * _SAFETY * _width(char)
        if taken > width:
            return max(1, count)
    return len(text)
