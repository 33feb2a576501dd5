"""Which of the engineers' own words a flow takes: the name of a step, what solved it, and how names are spelt.

Only words are chosen and their form put right; nothing is made up. The rules know English; of another language the
words stay as they were written.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from flowpilot.analysis.orders import ENDS, as_order, bare, upper_first
from flowpilot.analysis.sameness import overlap
from flowpilot.matching.concepts import LANGUAGE
from flowpilot.matching.text import terms
from resolutionflow.folding import fold
from resolutionflow.storable import UNSTORABLE, visible

TITLE, SOLUTION = 120, 80  # letters at most
COMPARED = 20  # different ways to say one thing

MAIL_MARKS = re.compile(
    r"^(?:(?:re|fwd?|aw|wg|urgent|ticket|issue|problem|incident|inc)\b\s*(?:#?\d+)?\s*[:\-–]\s*)+",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]{2,}")


def step_title(said: Sequence[str], language: str = LANGUAGE) -> str:
    """The name of a step that was said in these ways: as most said it, else the way that has most in common with the
    others; as an order."""
    title = _most_typical(said, language)
    return cut(as_order(title) if language == LANGUAGE else upper_first(shown(title)), TITLE) or "Step"


def _most_typical(said: Sequence[str], language: str) -> str:
    """What most said just so or nearly so; of equals the shorter one, then the one that was said first."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for text, count in Counter(said).items():
        plain = fold(bare(text)).strip(ENDS)
        counts[plain] += count
        first.setdefault(plain, text)
    common = counts.most_common(COMPARED)
    words = [dict.fromkeys(terms(plain, language), 1.0) for plain, _ in common]

    def typical(n: int) -> tuple[float, int]:
        near = sum(count * overlap(words[n], other) for other, (_, count) in zip(words, common, strict=True))
        return common[n][1] + near, -len(common[n][0])

    return first[common[max(range(len(common)), key=typical)][0]]


def shown(text: str) -> str:
    return bare(UNSTORABLE.sub("", text)).rstrip(ENDS)


class Spelling:
    """How names are written: “OneDrive” and “VPN”, though some wrote “onedrive” and “vpn”."""

    def __init__(self, texts: Iterable[str]) -> None:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for text, count in Counter(texts).items():
            if not text.isupper():  # shouted
                for word in WORD.findall(text):
                    if any(map(str.isupper, word[1:])):
                        found[word.lower()][word] += count
        self._known = {word: counts.most_common(1)[0][0] for word, counts in found.items()}

    def put_right(self, text: str) -> str:
        return WORD.sub(lambda word: self._known.get(word[0].lower(), word[0]), text)


def cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(ENDS)[: longest - 1] + "…"


def solution_line(solutions: Sequence[str], language: str = LANGUAGE) -> str:
    """What solved it, in the words of the one who said most of what the others did; "" where nobody said it shortly."""
    lines = [
        re.split(r"(?<=[a-z0-9)])[.;]\s|\n", text.strip(), maxsplit=1)[0].strip(ENDS) for text in solutions
    ]
    short = [
        UNSTORABLE.sub("", line) for line in lines if visible(line) and len(line) <= SOLUTION and terms(line)
    ]
    return _most_typical(short, language) if short else ""
