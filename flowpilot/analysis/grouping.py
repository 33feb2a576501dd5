"""Which sessions are about the same problem: each comes to the likest known one of its home, or begins a new one.

Sessions are taken in the order in which they ended, and a problem is known by all of its sessions so far; so it makes
no difference in how many runs they are read. A session without a domain may come to a problem of any; a problem without
one takes the domain of the first session that has one.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest, nsmallest
from itertools import combinations
from math import ceil
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from uuid6 import uuid7

from flowpilot.analysis.likeness import (
    ABOUT,
    MOST_TERMS,
    are_alike,
    are_one,
    closeness,
    rarity,
    rarity_of_step,
)
from flowpilot.analysis.models import Problem
from flowpilot.analysis.reading import Left, Lesson, Told
from flowpilot.analysis.slips import Slips
from flowpilot.analysis.words import FAINT, words_of
from flowpilot.flows.models import Domain
from flowpilot.matching.concepts import LANGUAGE

Home = UUID | Left | None  # a domain, a step of a flow, or neither

TELLING = 8  # of a session's words, those by which like problems are looked up
COMPARED, MOST_JOINED = 4, 20  # problems that share most of them: of a session, of another problem
OF_ITS_DOMAIN = 0.5  # what a word weighs that its domain is called by: it tells little apart there
MOST_PAIRED = 24  # sessions of a problem that are compared each with each
MOST_WORDS, KEPT_WORDS = 120, 60  # of a problem: beyond the one it is cut down to the other


@dataclass
class Group:
    """A problem as the analysis works on it. `words` are summed over its sessions, and so are `step_words`; `came` are
    those sessions that are not yet stored."""

    id: UUID
    home: Home
    words: dict[str, float] = field(default_factory=dict)
    step_words: dict[str, float] = field(default_factory=dict)
    count: int = 0
    place: int = -1
    came: list[UUID] = field(default_factory=list)


@dataclass
class _Known:
    """How many sessions of a home say a word, and how many of its problems have it among their steps."""

    sessions: float = 0
    having: Counter[str] = field(default_factory=Counter)
    problems: int = 0
    doing: Counter[str] = field(default_factory=Counter)


class Groups:
    """All problems of the account in scope, found by their words."""

    def __init__(
        self, known: Iterable[Group], language: str = LANGUAGE, domains: Mapping[UUID, str] | None = None
    ) -> None:
        self.language = language
        self._named = {id_: frozenset(words_of(name, language)) for id_, name in (domains or {}).items()}
        self._groups: list[Group] = []
        self._by_id: dict[UUID, Group] = {}
        self._slips = Slips()
        self._known: dict[Home, _Known] = defaultdict(_Known)
        # The problems of a home that say a word, by their places, with the share of their sessions that do.
        self._with_word: dict[Home, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
        for group in known:
            self._enter(group)

    @classmethod
    def load(cls, language: str = LANGUAGE) -> "Groups":
        columns = ("id", "domain_id", "flow_id", "node_id", "words", "step_words", "session_count")
        rows: QuerySet[Problem, Any] = Problem.objects.order_by("id").values_list(*columns)
        known = (
            Group(id_, Left(flow_id, node_id) if node_id else domain_id, words, step_words, count)
            for id_, domain_id, flow_id, node_id, words, step_words, count in rows.iterator(chunk_size=2000)
        )
        return cls(known, language, dict(Domain.objects.values_list("id", "name")))

    def __contains__(self, id_: object) -> bool:
        return id_ in self._by_id

    def told(self, lesson: Lesson) -> Told:
        """What the session is about, its words spelt as others spell them."""
        own, steps = lesson.told(self.language)
        return Told({self._slips.right(word): weight for word, weight in own.items()}, steps)

    def place(self, lesson: Lesson) -> Group:
        """The problem that the session is about; it counts among its sessions from here on."""
        told = self.told(lesson)
        home: Home = lesson.left or lesson.domain_id
        group = self._likest(told, home)
        if group is None:
            group = Group(uuid7(), home)
            self._enter(group)
        elif group.home is None and home is not None:
            self._leave(group)
            group.home = home
            self._enter(group)
        self._add(group, told)
        group.came.append(lesson.session_id)
        if len(group.words) > MOST_WORDS or len(group.step_words) > MOST_WORDS:
            self._prune(group)
        return group

    def weigh(self, words: Mapping[str, float], sessions: int, home: Home) -> dict[str, float]:
        """What a problem with these words is about, {stem: weight}: `terms` of a proposal's evidence."""
        rare = self._rarities(words, home)
        return _heaviest({word: share * rare[word] / sessions for word, share in words.items()})

    def weigh_steps(self, words: Mapping[str, float], sessions: int, home: Home) -> dict[str, float]:
        """What is done about a problem and about few others of its domain, {stem: weight}."""
        known = self._known[home if isinstance(home, UUID) else None]
        weights = {}
        for word, share in words.items():
            rare = rarity_of_step(word, having=known.doing[word], of=known.problems)
            if rare > 0:
                weights[word] = share * rare / sessions
        return _heaviest(weights)

    def about(self, id_: UUID) -> Told:
        """What the problem of this id is about, and what is done about it alone."""
        group = self._by_id[id_]
        return Told(
            self.weigh(group.words, group.count, group.home),
            self.weigh_steps(group.step_words, group.count, group.home),
        )

    def nearness(self, told: Iterable[Told], id_: UUID) -> list[float]:
        """How near each of these sessions is to the problem of this id (likeness.py)."""
        about, count = self.about(id_), self._by_id[id_].count
        return [
            closeness(own, about.own, steps=steps, step_terms=about.steps, sessions=count)
            for own, steps in told
        ]

    def alikeness(self, told: Sequence[Told], id_: UUID) -> float:
        """The share of pairs among these sessions of a problem that are alike, each with each. Of many, some are taken.
        How rare a word is among the other problems counts: that all of these say it speaks for them."""
        group = self._by_id[id_]
        known = self._known[group.home if isinstance(group.home, UUID) else None]
        taken = told[:: ceil(len(told) / MOST_PAIRED) or 1]
        rare = self._rarities({word for own, _ in taken for word in own}, group.home, but=group)
        weighed = [
            (
                {word: weight * rare[word] for word, weight in own.items()},
                {word: rarity_of_step(word, having=known.doing[word], of=known.problems) for word in steps},
            )
            for own, steps in taken
        ]
        pairs = [are_alike(*one, *other) for one, other in combinations(weighed, 2)]
        return sum(pairs) / len(pairs) if pairs else 0.0

    def elsewhere(self, word: str, id_: UUID) -> float:
        """In what share of the sessions of its home that are about other problems a word is. Twenty that do not have
        it are taken for granted."""
        group = self._by_id[id_]
        known = self._known[group.home if isinstance(group.home, UUID) else None]
        having = known.having[word] - group.words.get(word, 0.0)
        return max(0.0, having) / (known.sessions - group.count + 20)

    def same_as(self, id_: UUID) -> list[UUID]:
        """Other problems that are this one in other words, those with most sessions first."""
        group, about = self._by_id[id_], self.about(id_)
        near = self._candidates(about.own, group.home, most=MOST_JOINED)
        return [
            other.id
            for other in sorted(near, key=lambda other: (-other.count, other.place))
            if other is not group and are_one(*about, *self.about(other.id))
        ]

    def join(self, id_: UUID, other_id: UUID) -> None:
        """Gives the second problem's sessions to the first."""
        group, other = self._by_id[id_], self._by_id.pop(other_id)
        for one in (group, other):
            self._leave(one)
        for word, weight in other.words.items():
            group.words[word] = group.words.get(word, 0) + weight
        for word, weight in other.step_words.items():
            group.step_words[word] = group.step_words.get(word, 0) + weight
        group.count += other.count
        group.home = group.home or other.home
        self._enter(group)
        if len(group.words) > MOST_WORDS or len(group.step_words) > MOST_WORDS:
            self._prune(group)

    def _likest(self, told: Told, home: Home) -> Group | None:
        best: tuple[float, int, Group] | None = None
        for group in self._candidates(told.own, home):
            [near] = self.nearness([told], group.id)
            if near >= ABOUT and (best is None or (near, group.count) > best[:2]):
                best = near, group.count, group
        return best[2] if best else None

    def _candidates(self, words: Mapping[str, float], home: Home, most: int = COMPARED) -> list[Group]:
        rare = sorted(((weight, word) for word, weight in self._rarities(words, home).items()), reverse=True)
        telling = [one for one in rare if one[1] not in FAINT][:TELLING] or rare[:TELLING]
        shared: dict[int, float] = {}
        for near in self._homes_near(home):
            with_word = self._with_word[near]
            for weight, word in telling:
                for place, said in with_word.get(word, {}).items():
                    shared[place] = shared.get(place, 0.0) + weight * said
        chosen = nlargest(most, zip(shared.values(), shared, strict=True))
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

    def _rarities(self, words: Collection[str], home: Home, but: Group | None = None) -> dict[str, float]:
        """How rare each word is in this home, but for one of its problems. Within a domain its own name tells nothing
        apart."""
        known = self._known[home if isinstance(home, UUID) else None]
        having, of = known.having, known.sessions
        if but is None:
            found = {word: rarity(word, having=having[word], of=of) for word in words}
        else:
            found = {
                word: rarity(
                    word, having=max(0.0, having[word] - but.words.get(word, 0.0)), of=of - but.count
                )
                for word in words
            }
        if isinstance(home, UUID):
            for word in self._named.get(home, frozenset()).intersection(found):
                found[word] *= OF_ITS_DOMAIN
        return found

    def _counted_in(self, home: Home) -> Iterator[_Known]:
        """A domain's own figures, and the account's, which stand for all other homes."""
        yield self._known[None]
        if isinstance(home, UUID):
            yield self._known[home]

    def _add(self, group: Group, told: Told) -> None:
        group.count += 1
        for known in self._counted_in(group.home):
            known.sessions += 1
            known.having.update(told.own)
            known.doing.update(told.steps.keys() - group.step_words.keys())
        for word, weight in told.own.items():
            group.words[word] = group.words.get(word, 0) + weight
            self._slips.learn(word)
        self._list(group)
        for word, weight in told.steps.items():
            group.step_words[word] = group.step_words.get(word, 0) + weight

    def _enter(self, group: Group) -> None:
        if group.place < 0:
            group.place = len(self._groups)
            self._groups.append(group)
            self._by_id[group.id] = group
        for known in self._counted_in(group.home):
            known.sessions += group.count
            known.problems += 1
            known.having.update(group.words)
            known.doing.update(group.step_words.keys())
        for word in group.words:
            self._slips.learn(word)
        self._list(group)

    def _list(self, group: Group) -> None:
        with_word = self._with_word[group.home]
        for word, weight in group.words.items():
            with_word[word][group.place] = weight / group.count

    def _leave(self, group: Group) -> None:
        for known in self._counted_in(group.home):
            known.sessions -= group.count
            known.problems -= 1
            known.having.subtract(group.words)
            known.doing.subtract(group.step_words.keys())
        for word in group.words:
            self._with_word[group.home][word].pop(group.place, None)

    def _prune(self, group: Group) -> None:
        """Words of few sessions go; those that stay keep what they weigh."""
        self._leave(group)
        for words in (group.words, group.step_words):
            kept = nsmallest(KEPT_WORDS, words, key=lambda word: (-words[word], word))
            for word in words.keys() - set(kept):
                del words[word]
        self._enter(group)


def _heaviest(weights: dict[str, float]) -> dict[str, float]:
    if len(weights) <= MOST_TERMS:
        return weights
    return {
        word: weights[word]
        for word in nsmallest(MOST_TERMS, weights, key=lambda word: (-weights[word], word))
    }
