"""What an engineer without a guide may try next: steps that helped with like problems before.

They come from two places: the published flows of the session's domain that are about such a problem, and what engineers
wrote down themselves in resolved sessions of it. What they did about other problems of the domain is told apart.
Without a domain only what is about a like problem is known. The questions of a flow say little outside of it: only its
first one is offered, and of the flow that the session left all. What a colleague wrote stays theirs:
words are shown only if two engineers wrote all of them in one step each, or if the session's engineer wrote them. Of
drafts, notes, names and clients nothing is read.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import log, sqrt
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, QuerySet, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat, Lower, StrIndex
from django.db.models.lookups import GreaterThan

from flowpilot.flows.models import Flow, FlowVersion
from flowpilot.flows.search import has, words_of
from flowpilot.flows.structure import nodes_of
from flowpilot.matching.text import terms
from flowpilot.sessions.decisions import TAKEN_BACK, TAKEN_OVER
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Status, Tier
from resolutionflow.folding import fold

SHOWN, RESULTS_SHOWN = 9, 3
MOST_OF_DOMAIN = 4  # of those shown, what was done about other problems
ABOUT = 0.25  # how like two problems are at least, so that what helped with one may help with the other
LOOKED_AT, ALIKE = 2_500, 200  # sessions among which like ones are looked for, and how many of these are read
FLOWS = 12
MOST_READ = 2_000  # characters of the problem's description
MOST_WORDS, ASKED_FOR = 40, 12  # of the problem: those that are compared, those that the database looks for
ENGINEERS = 2  # who wrote the same, before others see it
ANYWAY = 0.002  # what a session counts whose problem is another one; a like one counts up to 1 more
A_FLOW = 3  # a step that somebody put into a flow counts as done in so many sessions of a problem like the flow's name
SAME = 0.6  # of the words of two steps, from which on they are one
LONGEST_RESULT = 60

Words = frozenset[str]

# The newest sessions, of these the likest by the words that their problems share with this one, and their own steps.
OWN_STEPS = f"""
with newest as (
    select * from ({{chosen}}) asked
), alike as (
    select user_id, problem_summary, decisions, completed_at, shared
      from newest,
           lateral (select lower(problem_summary)) said (problem),
           lateral (select count(*) from unnest(%s::text[]) word where strpos(problem, word) > 0) counted (shared)
     where shared >= %s
     order by shared desc, completed_at desc
     limit {ALIKE}
)
select user_id, problem_summary, decision ->> 'title', coalesce(decision ->> 'answer', '')
  from alike, jsonb_array_elements(decisions) with ordinality listed (decision, position)
 where decision ->> 'node_id' is null and decision -> 'left_flow' is null and decision ->> 'title' <> ''
   and not ({TAKEN_BACK}) and not ({TAKEN_OVER})
 order by shared desc, completed_at desc, position
"""  # noqa: S608 - pieces of this module and of the one beside it; values are parameters


@dataclass(frozen=True)
class KnownStep:
    """`results`: what it mostly led to, to be given with it; `flow` the name of the flow that it stands in, else "";
    `about`: whether it was done about a problem like this one, or only in the same domain."""

    title: str
    results: tuple[str, ...]
    flow: str
    about: bool


@dataclass
class _Step:
    """A step in the words of whoever wrote it. `times` is how often it was done, `worth` the same where what was done
    about a problem like this one counts most."""

    titles: Counter[str] = field(default_factory=Counter)
    engineers: set[UUID] = field(default_factory=set)
    results: dict[str, list[tuple[str, UUID]]] = field(default_factory=lambda: defaultdict(list))
    labels: tuple[str, ...] = ()
    flow: str = ""
    times: float = 0.0
    worth: float = 0.0
    about: bool = False

    def add(self, times: float, likeness: float) -> None:
        self.times += times
        self.worth += times * (ANYWAY + likeness**2)
        self.about = self.about or likeness >= ABOUT


@dataclass(frozen=True)
class KnownSteps:
    """What is known of the steps that fit a session; ask `offered` and `results_of`."""

    steps: Mapping[Words, _Step]
    engineer: UUID
    times: int  # of all steps together
    language: str

    def offered(self, done: Iterable[str], typed: str = "") -> list[KnownStep]:
        """What is about this problem first, the most useful on top, without those that were done already and what says
        nearly the same as another. typed: only those with a word that begins with each word of it."""
        seen = [_words(title, self.language) for title in done]
        wanted = _typed_words(typed)
        found: list[KnownStep] = []
        of_domain = 0
        for words, step in sorted(self.steps.items(), key=self._place):
            if len(found) == SHOWN or (of_domain == MOST_OF_DOMAIN and not typed):
                break
            title = step.titles.most_common(1)[0][0]
            if _has(title, wanted) and not any(_same(words, other) for other in seen):
                seen.append(words)
                found.append(KnownStep(title, self._results(step), step.flow, step.about))
                of_domain += not step.about
        return found

    def results_of(self, title: str) -> tuple[str, ...]:
        """What this step usually led to."""
        step = self.steps.get(_words(title, self.language))
        return self._results(step) if step else ()

    def _place(self, item: tuple[Words, _Step]) -> tuple[bool, float]:
        """What is done about everything says little: what is done about this problem comes first."""
        step = item[1]
        return not step.about, -step.worth * log(2 + self.times / step.times)

    def _results(self, step: _Step) -> tuple[str, ...]:
        """The answers of the flow's step, then those of which two engineers, or the session's own, wrote the same."""
        common = sorted(step.results.values(), key=len, reverse=True)
        written = [given[0][0] for given in common if self._may_show({engineer for _, engineer in given})]
        return tuple(dict.fromkeys([*step.labels, *written]))[:RESULTS_SHOWN]

    def _may_show(self, engineers: set[UUID]) -> bool:
        return len(engineers) >= ENGINEERS or self.engineer in engineers


def known_steps(session: Session, typed: str = "", *, language: str) -> KnownSteps:
    """What is known for this session, in two queries. typed: what the engineer has written of a step; then flows are
    searched for it. language: the account's."""
    problem = _problem_words(session, language)
    own = list(_own_steps(session, problem))
    likeness = _Likeness(frozenset(problem), {summary for _, summary, _, _ in own}, language)
    written: dict[Words, _Step] = defaultdict(_Step)
    for engineer, summary, title, answer in own:
        if words := _words(title, language):
            step = written[words]
            step.titles[title] += 1
            step.engineers.add(engineer)
            step.add(1, likeness.to(summary))
            if 0 < len(answer) <= LONGEST_RESULT:
                step.results[fold(answer)].append((answer, engineer))
    steps = _shared(written, session.user_id)
    for flow, node in _flow_steps(session, problem, typed):
        like = likeness.to(flow.name)
        fits = like >= ABOUT and (node["type"] == "action" or flow.begins_with(node))
        asked_for = typed and node["type"] == "action"
        if fits or asked_for or flow.id == session.flow_id:
            _add_of_flow(steps, flow, node, max(like, likeness.to(f"{flow.name} {node['title']}")), language)
    if not session.domain_id and not typed:
        steps = {words: step for words, step in steps.items() if step.about}
    return KnownSteps(steps, session.user_id, len(own), language)


def _add_of_flow(
    steps: dict[Words, _Step], flow: "_Flow", node: Mapping[str, Any], like: float, language: str
) -> None:
    words = _words(node["title"], language)
    if not words:
        return
    step = steps[words]
    if not step.flow:
        step.titles[node["title"]] += len(step.engineers) + 1  # as the flow says it
        step.flow = flow.name
        step.labels = tuple(option["label"] for option in node.get("options", []))
    step.add(A_FLOW, like)


def _shared(written: Mapping[Words, _Step], engineer: UUID) -> dict[Words, _Step]:
    """Those that may be shown: what several wrote, or what stands whole in what another one wrote; and the own ones.

    A step of which others wrote more counts for them too: “Restarted the spooler” for “Restarted the spooler on the
    server”.
    """
    with_word: dict[str, set[Words]] = defaultdict(set)
    for words in written:
        for word in words:
            with_word[word].add(words)
    shown: dict[Words, _Step] = defaultdict(_Step)
    for words, step in written.items():
        longer = set.intersection(*(with_word[word] for word in words)) if len(words) > 1 else {words}
        engineers = set[UUID]().union(*(written[other].engineers for other in longer))
        if len(engineers) >= ENGINEERS or engineer in step.engineers:
            shown[words] = _Step(
                step.titles,
                engineers,
                step.results,
                times=sum(written[other].times for other in longer),
                worth=sum(written[other].worth for other in longer),
                about=any(written[other].about for other in longer),
            )
    return shown


class _Likeness:
    """How like a text is to the problem, 0 to 1: the words that they share, rare ones before all."""

    def __init__(self, problem: Words, texts: Iterable[str], language: str) -> None:
        self._problem, self._language = problem, language
        self._words = {text: _words(text, language) for text in texts}
        counts = Counter(word for words in self._words.values() for word in words)
        whole = len(self._words) + 1
        self._rarity = {word: log(1 + whole / count) for word, count in counts.items()}
        self._unseen = log(1 + whole)
        self._size = self._size_of(problem)

    def to(self, text: str) -> float:
        words = self._words.get(text)
        if words is None:
            words = _words(text, self._language)
        whole = self._size * self._size_of(words)
        return self._weight_of(self._problem & words) / whole if whole else 0.0

    def _weight_of(self, words: Words) -> float:
        return sum(self._rarity.get(word, self._unseen) ** 2 for word in words)

    def _size_of(self, words: Words) -> float:
        return sqrt(self._weight_of(words))


def _own_steps(session: Session, problem: Sequence[str]) -> Iterator[tuple[UUID, str, str, str]]:
    """Engineer, problem, title and answer of the steps that engineers wrote down themselves, of the likest sessions
    first."""
    sessions = Session.objects.filter(
        status=Status.RESOLVED, confidence_tier__in=[Tier.EXPLORING, Tier.DISCOVERY]
    ).exclude(id=session.id)
    if session.domain_id:
        sessions = sessions.filter(domain=session.domain_id)
    newest = sessions.order_by("-completed_at")[:LOOKED_AT]
    columns = newest.values("user_id", "problem_summary", "decisions", "completed_at")
    chosen, parameters = columns.query.sql_with_params()
    least = 0 if session.domain_id else 1
    with connection.cursor() as cursor:
        cursor.execute(OWN_STEPS.replace("{chosen}", chosen), [*parameters, list(problem[:ASKED_FOR]), least])
        yield from cursor


@dataclass(frozen=True)
class _Flow:
    id: UUID
    name: str
    root: str

    def begins_with(self, node: Mapping[str, Any]) -> bool:
        return bool(node["id"] == self.root)


def _flow_steps(
    session: Session, problem: Sequence[str], typed: str
) -> Iterator[tuple[_Flow, Mapping[str, Any]]]:
    """Flow and node of what published flows say is to be done: those first whose names share most with the problem."""
    versions: QuerySet[FlowVersion] = FlowVersion.objects.filter(
        flow__status=Flow.Status.PUBLISHED, flow__current_version=F("id")
    )
    about = Lower(Concat("flow__name", Value(" "), "flow__description", output_field=TextField()))
    shares = [
        Case(When(GreaterThan(StrIndex(about, Value(word)), 0), then=1), default=0)
        for word in problem[:ASKED_FOR]
    ]
    # A bare 0, where the problem has no telling word, would be the number of a column.
    likest: list[Combinable] = [sum(shares, start=Value(0)).desc()] if shares else []
    if session.domain_id:
        versions = versions.filter(flow__domain=session.domain_id)
    if session.flow_id:
        likest.insert(0, Case(When(flow=session.flow_id, then=0), default=1))
    for word in _typed_words(typed):
        versions = versions.filter(has(word, F("step_texts")))
    chosen = versions.order_by(*likest, "-flow__usage_count", "flow_id")[:FLOWS]
    for id_, name, structure in chosen.values_list("flow_id", "flow__name", "structure"):
        flow = _Flow(id_, name, structure["id"])
        for node in nodes_of(structure):
            if node["type"] in ("question", "action"):
                yield flow, node


def _problem_words(session: Session, language: str) -> list[str]:
    """In their order; of a long description the first ones."""
    text = f"{session.problem_summary}\n{session.problem_description[:MOST_READ]}"
    return list(dict.fromkeys(terms(text, language)))[:MOST_WORDS]


@lru_cache(maxsize=10_000)
def _words(text: str, language: str) -> Words:
    return frozenset(terms(text, language))


def _typed_words(typed: str) -> Sequence[str]:
    return words_of(fold(typed))


def _has(title: str, wanted: Sequence[str]) -> bool:
    said = fold(title).split()
    return all(any(word.startswith(start) for word in said) for start in wanted)


def _same(one: Words, other: Words) -> bool:
    return len(one & other) >= SAME * len(one | other)
