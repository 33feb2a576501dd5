"""Looking for words in flows: case and accents do not count.

The words of the steps are a column that PostgreSQL computes from the structure, so no writer can forget it. Here it is
said which texts those are, and which step of a flow that was found has the words.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import F, Func
from django.db.models.expressions import Combinable
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from flowpilot.flows.structure import Node, nodes_of_any
from resolutionflow.folding import fold, fold_letter, folded

MOST_WORDS = 8
AROUND = 50  # letters of a text before and after a word that was found
SEARCHED = ("title", "help", "label", "text")  # of a node, its options, its script and the blanks of that


def folded_step_texts() -> models.GeneratedField:
    """The column of a table with a `structure` that has the texts of its steps, folded, as one text."""
    # a path for each key: one that asks each pair for its key takes five times as long
    plain = " || ".join(
        f"jsonb_path_query_array(%(expressions)s, 'strict $.**.{key}')::text" for key in SEARCHED
    )
    for escaped, meant in (
        (r"\\", r"\1"),
        (r"\n", " "),
        (r"\r", " "),
        (r"\t", " "),
        (r"\"", '"'),
        (r"\1", "\\"),
    ):
        plain = f"replace({plain}, '{escaped}', '{meant}')"
    texts = Func(F("structure"), template=plain, output_field=models.TextField())
    return models.GeneratedField(expression=folded(texts), output_field=models.TextField(), db_persist=True)


def has(word: str, text: Combinable) -> GreaterThan:
    """Whether the folded text has the word in it, as a condition. Nothing in the word is a wildcard."""
    return GreaterThan(StrIndex(text, folded(models.Value(word))), 0)


def words_of(query: str) -> list[str]:
    """What is looked for: every one of these, wherever it stands. Of a very long query the first few."""
    return list(dict.fromkeys(query.split()))[:MOST_WORDS]


@dataclass(frozen=True)
class Piece:
    """Part of a text; `hit` where it is one of the words looked for."""

    text: str
    hit: bool


def marked(text: str, words: Iterable[str]) -> list[Piece]:
    """The text in pieces, so that the words can be shown in it."""
    letters = [fold_letter(letter) for letter in text]
    places = [place for place, letter in enumerate(letters) for _ in letter]  # of each folded letter
    haystack, hits = "".join(letters), set[int]()
    for word in filter(None, map(fold, words)):
        start = haystack.find(word)
        while start >= 0:
            hits.update(places[start : start + len(word)])
            start = haystack.find(word, start + len(word))
    pieces: list[Piece] = []
    for place, letter in enumerate(text):
        hit = place in hits
        if pieces and pieces[-1].hit == hit:
            pieces[-1] = Piece(pieces[-1].text + letter, hit)
        else:
            pieces.append(Piece(letter, hit))
    return pieces


def matching_step(structure: Node, words: Sequence[str]) -> tuple[str, str]:
    """The title of the step with the most of the words, the first of equals, and of its other texts the part that has
    one, where the title has none; ("", "") if no step has any."""
    wanted = [fold(word) for word in words]
    best, most = None, 0
    for node in nodes_of_any(structure):
        text = fold("\n".join(_texts(node)))
        count = sum(word in text for word in wanted)
        if count > most:
            best, most = node, count
    if best is None:
        return "", ""
    title = best["title"] if isinstance(best.get("title"), str) else ""
    if any(word in fold(title) for word in wanted):
        return title, ""
    return title, next(filter(None, (_around(text, wanted) for text in _texts(best))), "")


def has_all(words: Iterable[str], *texts: str) -> bool:
    """Whether each word stands in one of the texts."""
    said = fold("\n".join(texts))
    return all(fold(word) in said for word in words)


def texts_of(structure: Node) -> Iterator[str]:
    """The texts of its steps, as `folded_step_texts` takes them."""
    return (text for node in nodes_of_any(structure) for text in _texts(node))


def _around(text: str, wanted: Sequence[str]) -> str:
    """The text some letters before and after the first of the words; "" if it has none."""
    haystack = fold(text)
    found = [place for word in wanted if (place := haystack.find(word)) >= 0]
    if not found:
        return ""
    places = [place for place, letter in enumerate(text) for _ in fold_letter(letter)]
    first = places[min(found)]
    start, end = max(0, first - AROUND), first + AROUND
    before = text[start:first].partition(" ")[2] if start else text[:first]
    after = text[first:end].rpartition(" ")[0] if end < len(text) else text[first:]
    part = " ".join(f"{before}{after or text[first:end]}".split())
    return f"{'… ' if start else ''}{part}{' …' if end < len(text) else ''}"


def _texts(node: Node) -> Iterator[str]:
    """What `folded_step_texts` takes of the node itself."""
    waiting: list[Any] = [{key: value for key, value in node.items() if key != "children"}]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield from (part[key] for key in SEARCHED if isinstance(part.get(key), str))
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
