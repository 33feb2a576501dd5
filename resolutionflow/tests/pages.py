"""What a page shows, for tests that look at it as its reader does."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str | None]
    parent: "Element | None" = field(default=None, repr=False)
    children: "list[Element | str]" = field(default_factory=list, repr=False)

    @property
    def text(self) -> str:
        """Everything in it, blanks as the browser shows them."""
        return " ".join("".join(self.strings()).split())

    def strings(self) -> list[str]:
        parts: list[str] = []
        for child in self.children:
            parts += [child] if isinstance(child, str) else child.strings()
        return parts

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    @property
    def href(self) -> str:
        return self.attributes["href"] or ""

    def all(self, tag: str = "", **attributes: str) -> "list[Element]":
        """All below with this tag and these attributes; `class_` names one of the classes."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child.matches(tag, attributes):
                    found.append(child)
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> "Element":
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements {tag} {attributes}"
        return found[0]

    def matches(self, tag: str, attributes: dict[str, str]) -> bool:
        return (not tag or self.tag == tag) and all(
            value in self.classes
            if name == "class_"
            else self.attributes.get(name.replace("_", "-")) == value
            for name, value in attributes.items()
        )

    def rows(self) -> list[list[str]]:
        """The text of a table's body, cell by cell."""
        cells = [
            [cell for cell in row.children if isinstance(cell, Element)]
            for row in self.one("tbody").all("tr")
        ]
        return [[cell.text for cell in row] for row in cells]


class _Reader(HTMLParser):
    VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}

    def __init__(self) -> None:
        super().__init__()
        self.open = self.root = Element("", {})

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), self.open)
        self.open.children.append(element)
        if tag not in self.VOID:
            self.open = element

    def handle_startendtag(self, tag, attrs):
        self.open.children.append(Element(tag, dict(attrs), self.open))

    def handle_endtag(self, tag):
        assert self.open.tag == tag, f"</{tag}> closes <{self.open.tag}>"
        self.open = self.open.parent

    def handle_data(self, data):
        self.open.children.append(data)


def read(response) -> Element:
    """The answer as a tree; fails where the tags do not match."""
    reader = _Reader()
    reader.feed(response.content.decode())
    reader.close()
    assert reader.open is reader.root, f"<{reader.open.tag}> is never closed"
    return reader.root


def embedded_json(page: Element, id: str):
    """What `json_script` put into the page."""
    return json.loads("".join(page.one("script", id=id).children))


def cards(page: Element) -> dict[str, str]:
    """Of the stat cards: label → what the card says below it."""
    return {
        card.one("div", class_="stat-label").all("span")[0].text: " ".join(
            child.text
            for child in card.children
            if not isinstance(child, str) and "stat-label" not in child.classes
        )
        for card in page.all("div", class_="stat")
    }


def listed(page: Element) -> tuple[int, list[str]]:
    """Of a session list: how many sessions it says there are, and the problems that it shows."""
    if not page.all("nav", class_="pagination"):
        assert page.all("div", class_="empty")
        return 0, []
    words = page.one("nav", class_="pagination").one("p").text
    number, unit = words.split()
    assert unit == ("session" if number == "1" else "sessions")
    table = page.one("section", aria_label="Sessions").one("tbody")
    return int(number.replace(",", "")), [row.all("a", class_="link")[0].text for row in table.all("tr")]
