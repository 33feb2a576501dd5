"""Slips of the hand: a word that nobody else writes and that is one letter away from one that others do write."""

from collections.abc import Iterable, Iterator

from flowpilot.matching.concepts import slips
from flowpilot.matching.text import is_code

SHORTEST = 6  # letters, from which on one wrong one makes no other word ("print" and "paint")


class Slips:
    """The words that are known, found also where one letter is wrong, missing, too many, or changed places with the
    next; never the first one."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._near: dict[str, str] = {}
        for word in words:
            self.learn(word)

    def learn(self, word: str) -> None:
        if word not in self._known:
            self._known.add(word)
            for shorter in _without_a_letter(word):
                self._near.setdefault(shorter, word)

    def right(self, word: str) -> str:
        """The known word that was meant, else the word as it stands."""
        if word in self._known:
            return word
        for shorter in _without_a_letter(word):
            meant = self._near.get(shorter)
            if meant is not None and slips(word, meant) == 1:
                return meant
        return word


def _without_a_letter(word: str) -> Iterator[str]:
    if len(word) >= SHORTEST and not is_code(word):
        yield word
        for place in range(1, len(word)):
            yield word[:place] + word[place + 1 :]
