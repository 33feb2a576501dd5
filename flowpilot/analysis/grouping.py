"""Which sessions are about the same problem: each comes to the likest known one of its home, or begins a new one.

Sessions are taken in the order in which they ended, and a problem is known by all of its sessions so far; so it makes
no difference in how many runs they are read. A session without a domain may come to a problem of any; a problem without
one takes the domain of the first session that has one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from uuid6 import uuid7

from flowpilot.analysis.likeness import MOST_TERMS, is_about, likeness, rarity
from flowpilot.analysis.models import Problem
from flowpilot.analysis.reading import Left, Lesson

Home = UUID | Left | None  # a domain, a step of a flow, or neither

TELLING = 10  # of a session's words, those by which like problems are looked up
COMPARED = 3  # problems that share most of them
MOST_WORDS, KEPT_WORDS = 120, 60  # of a problem: beyond the one it is cut down to the other


@dataclass
class Group:
    """A problem as the analysis works on it. `words` are summed over its sessions, `came` are those not yet stored."""

    id: UUID
    home: Home
    words: dict[str, float] = field(default_factory=dict)
    count: int = 0
    place: int = -1
    came: list[UUID] = field(default_factory=list)


class Groups:
    """All problems of the account in scope, found by their words."""

    def __init__(self, known: Iterable[Group]) -> None:
        self._groups: list[Group] = []
        self._having: Counter[str] = Counter()
        self._all = 0
        self._with_word: dict[Home, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for group in known:
            self._count(group.words, group.count)
            self._enter(group, group.words)

    @classmethod
    def load(cls) -> "Groups":
        columns = ("id", "domain_id", "flow_id", "node_id", "words", "session_count")
        rows: QuerySet[Problem, Any] = Problem.objects.order_by("id").values_list(*columns)
        return cls(
            Group(id_, Left(flow_id, node_id) if node_id else domain_id, words, count)
            for id_, domain_id, flow_id, node_id, words, count in rows.iterator(chunk_size=2000)
        )

    def place(self, lesson: Lesson) -> Group:
        """The problem that the session is about; it counts among its sessions from here on."""
        words = lesson.words()
        home: Home = lesson.left or lesson.domain_id
        group = self._likest(words, home) or Group(uuid7(), home)
        if group.home is None and home is not None:
            self._move(group, home)
        for word, weight in words.items():
            group.words[word] = group.words.get(word, 0) + weight
        group.count += 1
        group.came.append(lesson.session_id)
        self._count(words, 1)
        self._enter(group, words)
        if len(group.words) > MOST_WORDS:
            self._prune(group)
        return group

    def weigh(self, words: Mapping[str, float], sessions: int) -> dict[str, float]:
        """What a problem with these words is about, {stem: weight}: `terms` of a proposal's evidence."""
        having, of = self._having, self._all
        weights = {
            word: share * rarity(word, having=having[word], of=of) / sessions for word, share in words.items()
        }
        if len(weights) <= MOST_TERMS:
            return weights
        return {
            word: weights[word]
            for word in nsmallest(MOST_TERMS, weights, key=lambda word: (-weights[word], word))
        }

    def _likest(self, words: Mapping[str, float], home: Home) -> Group | None:
        best: tuple[float, int, Group] | None = None
        for group in self._candidates(words, home):
            terms = self.weigh(group.words, group.count)
            if is_about(words.keys(), terms):
                found = (likeness(words.keys(), terms), group.count, group)
                if best is None or found[:2] > best[:2]:
                    best = found
        return best[2] if best else None

    def _candidates(self, words: Mapping[str, float], home: Home) -> list[Group]:
        rare = sorted(((self._rarity(word), word) for word in words), reverse=True)[:TELLING]
        shared: dict[int, float] = {}
        for near in self._homes_near(home):
            with_word = self._with_word[near]
            for weight, word in rare:
                for place in with_word.get(word, ()):
                    shared[place] = shared.get(place, 0.0) + weight
        chosen = sorted(((weight, place) for place, weight in shared.items()), reverse=True)[:COMPARED]
        return [self._groups[place] for _, place in chosen]

    def _homes_near(self, home: Home) -> Iterator[Home]:
        """Where a session of this home looks for its like."""
        if isinstance(home, Left):
            yield home
        elif home is None:
            yield from [known for known in self._with_word if not isinstance(known, Left)]
        else:
            yield home
            yield None

    def _rarity(self, word: str) -> float:
        return rarity(word, having=self._having[word], of=self._all)

    def _count(self, words: Mapping[str, float], sessions: int) -> None:
        self._having.update(words)
        self._all += sessions

    def _enter(self, group: Group, words: Iterable[str]) -> None:
        if group.place < 0:
            group.place = len(self._groups)
            self._groups.append(group)
        with_word = self._with_word[group.home]
        for word in words:
            with_word[word].add(group.place)

    def _move(self, group: Group, home: Home) -> None:
        for word in group.words:
            self._with_word[group.home][word].discard(group.place)
        group.home = home
        self._enter(group, group.words)

    def _prune(self, group: Group) -> None:
        """Words of few sessions go; those that stay keep what they weigh."""
        kept = nsmallest(KEPT_WORDS, group.words, key=lambda word: (-group.words[word], word))
        for word in group.words.keys() - set(kept):
            self._having[word] -= group.words.pop(word)  # type: ignore[assignment]
            self._with_word[group.home][word].discard(group.place)
