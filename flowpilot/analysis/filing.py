"""One proposal a problem: filed once enough sessions are behind it, kept up to date while it is pending, and after a
rejection filed again only when its evidence has doubled.

Some problems at a time are a transaction under the account's lock (`locking.py`). What a reviewer does at the same
moment waits for the proposal's row or is waited for: a proposal that is no longer pending is left alone.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from flowpilot.analysis.agreement import agreement_of
from flowpilot.analysis.enhancing import with_option
from flowpilot.analysis.evidence import PublishedFlows, change_of, evidence_of, summary_of
from flowpilot.analysis.grouping import Groups
from flowpilot.analysis.likeness import ABOUT, MOST, are_one, is_about
from flowpilot.analysis.locking import locked_account
from flowpilot.analysis.merging import Merged, merge
from flowpilot.analysis.models import Problem, ProblemSession
from flowpilot.analysis.naming import Said, problem_names, shared_words
from flowpilot.analysis.phrases import Spelling, solution_line
from flowpilot.analysis.reading import Lesson, Told, lessons_of, sessions_of
from flowpilot.analysis.wording import reworded
from flowpilot.analysis.words import FAINT
from flowpilot.clients.models import Client
from flowpilot.flows.models import Flow
from flowpilot.flows.structure import Node, faults_of, nodes_of
from flowpilot.matching.text import words
from flowpilot.proposals.models import FlowProposal
from flowpilot.sessions.decisions import has_decision
from flowpilot.sessions.models import Session
from resolutionflow.accounts.models import Account
from resolutionflow.metrics import wilson

MOST_ALIKE = 0.5  # of the pairs of its sessions, above which a problem is one and no chain
LEAST = 3  # sessions behind a proposal
GATHERED = 2  # sessions from which on a problem looks for others that are the same
RETURNS_AT = 2  # times the sessions that it was rejected with
AT_ONCE = 20  # problems of a transaction
NAMED = 60  # sessions, the newest, of whose words the title is made
MERGED = 300  # sessions of a problem at most, the newest, whose steps are put together

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Filed:
    """How many proposals were filed, and how many pending ones have changed."""

    new: int = 0
    updated: int = 0

    def __add__(self, other: "Filed") -> "Filed":
        return Filed(self.new + other.new, self.updated + other.updated)


@dataclass(frozen=True)
class Draft:
    """What a proposal says."""

    title: str
    summary: str
    structure: Node
    evidence: dict[str, Any]
    confidence: float
    domain_id: UUID | None


def file_due(account: Account) -> Filed:
    """Files or updates the proposals of all problems that sessions came to, in the account in scope."""
    enough = Q(session_count__gte=GATHERED) | Q(proposal__isnull=False)
    stale = Q(
        flow__isnull=False, proposal__status=FlowProposal.Status.PENDING
    )  # of a flow that may have changed
    # Changes of flows last: what their words weigh is known when all that is one has been put together.
    due = Problem.objects.filter(Q(enough, due=True) | stale).order_by(F("flow").asc(nulls_first=True), "id")
    ids = list(due.values_list("id", flat=True))
    filed = Filed()
    if ids:
        filing = Filing(account, Groups.load(account.language))
        for start in range(0, len(ids), AT_ONCE):
            with locked_account(account):
                filed += filing.file(ids[start : start + AT_ONCE])
    return filed


class Filing:
    """What one run needs for all problems alike."""

    def __init__(self, account: Account, groups: Groups) -> None:
        self._language = account.language
        self._groups = groups
        self._flows = PublishedFlows(account.language)
        self._known = KnownProposals()
        self._names = _names_known(account)
        self._at_hand: dict[UUID, Problem] = {}  # as they stand, until they are filed or put together

    def file(self, ids: Sequence[UUID]) -> Filed:
        """Belongs into a transaction that holds the account's lock."""
        self._known.read_on()
        self._at_hand = _whole_problems().in_bulk(ids)
        filed = Filed()
        for id_ in ids:
            problem = self._problem(id_)
            if problem is not None:  # else it was put together with another one
                filed += self._file(problem)
        return filed

    def _file(self, problem: Problem) -> Filed:
        if problem.flow_id is None:
            problem = self._gathered(problem)
            if problem.proposal_id is None:
                problem = self._same_as_filed(problem)
        proposal = _held(problem.proposal_id)
        filed = self._decide(problem, proposal)
        problem.due = False
        problem.save(update_fields=["due", "proposal", "domain", "wording_due"])
        return filed

    def _problem(self, id_: UUID) -> Problem | None:
        return self._at_hand.pop(id_, None) or _whole_problems().filter(id=id_).first()

    def _decide(self, problem: Problem, proposal: FlowProposal | None) -> Filed:
        status = proposal.status if proposal else None
        behind = len(proposal.evidence.get("sessions", [])) if proposal else 0
        if status == FlowProposal.Status.REJECTED and problem.session_count < RETURNS_AT * behind:
            return Filed()
        if status in (
            FlowProposal.Status.APPROVED,
            FlowProposal.Status.MODIFIED,
            FlowProposal.Status.DISMISSED,
        ):
            return Filed()
        draft = self._draft(problem) if problem.session_count >= LEAST else None
        if draft is None:
            return Filed()
        if status == FlowProposal.Status.REJECTED and len(draft.evidence["sessions"]) < RETURNS_AT * behind:
            return Filed()
        if proposal is not None and status == FlowProposal.Status.PENDING:
            returned = proposal.evidence.get("returned")
            changed = _write(proposal, _with(draft, returned=returned), problem)
            return Filed(updated=int(changed))
        if proposal is not None:
            draft = _with(draft, returned={"proposal_id": str(proposal.id), "sessions_before": behind})
        new = FlowProposal(
            kind=FlowProposal.Kind.ENHANCEMENT if problem.flow_id else FlowProposal.Kind.NEW_FLOW,
            target_flow=problem.flow,
        )
        _write(new, draft, problem)
        problem.proposal = new
        if new.kind == FlowProposal.Kind.NEW_FLOW:
            self._known.add(new.id, new.domain_id, draft.evidence["terms"], draft.evidence["step_terms"])
        return Filed(new=1)

    def _gathered(self, problem: Problem) -> Problem:
        """The problem with all that began apart, in other words, and turned out to be the same; two of which proposals
        were filed stay apart."""
        for other_id in self._groups.same_as(problem.id):
            other = self._problem(other_id)
            if other is not None and not (problem.proposal_id and other.proposal_id):
                if other.proposal_id:
                    problem, other = other, problem
                problem = self._put_together(other, problem)
        return problem

    def _same_as_filed(self, problem: Problem) -> Problem:
        """The problem that a proposal about the same thing was filed for, with this one's sessions; else this one,
        which takes up a proposal about the same thing that no problem has."""
        id_ = self._known.about(self._groups.about(problem.id), problem.domain_id)
        if id_ is None:
            return problem
        other = Problem.objects.filter(proposal=id_).first()
        if other is None:
            problem.proposal_id = id_
            return problem
        if other.id not in self._groups:  # another worker read and filed it since this run began to file
            self._groups = Groups.load(self._language)
        return self._put_together(problem, other)

    def _put_together(self, problem: Problem, other: Problem) -> Problem:
        """Gives the sessions of one problem to another; the first is gone then."""
        for one in (problem, other):
            self._at_hand.pop(one.id, None)
        self._groups.join(other.id, problem.id)
        ProblemSession.objects.filter(problem=problem).update(problem=other)
        for mine, theirs in [(problem.words, other.words), (problem.step_words, other.step_words)]:
            for word, weight in mine.items():
                theirs[word] = theirs.get(word, 0) + weight
        other.session_count = F("session_count") + problem.session_count
        other.save(update_fields=["words", "step_words", "session_count"])
        other.refresh_from_db()
        problem.delete()
        return other

    def _draft(self, problem: Problem) -> Draft | None:
        # Asked by their ids: beside a subquery that it knows nothing of, the planner walks the whole index of ends.
        ids = list(ProblemSession.objects.filter(problem=problem).values_list("session_id", flat=True))
        members = sessions_of(ids)
        newest = members.order_by("-completed_at", "-id")[:MERGED]
        lessons = list(lessons_of(newest))[::-1]
        rows = [(lesson.session_id, lesson.outcome, lesson.domain_id) for lesson in lessons]
        if problem.session_count > MERGED:
            columns = ("id", "outcome", "domain_id")
            rows = list(members.order_by("completed_at", "id").values_list(*columns))
        if problem.flow is not None:
            return self._enhancement(problem, problem.flow, lessons, rows)
        # a flow that was left where it has no place for an option counts as none
        lessons = [replace(lesson, left=None) for lesson in lessons]
        told = {lesson.session_id: self._groups.told(lesson) for lesson in lessons}
        near = zip(told, self._groups.nearness(told.values(), problem.id), strict=True)
        strangers = {id_ for id_, nearness in near if nearness < ABOUT}
        lessons = [lesson for lesson in lessons if lesson.session_id not in strangers]
        rows = [row for row in rows if row[0] not in strangers]
        alike = self._groups.alikeness([told[lesson.session_id] for lesson in lessons], problem.id)
        merged = (
            merge(lessons, language=self._language) if len(lessons) >= LEAST and alike > MOST_ALIKE else None
        )
        if merged is None or _is_faulty(merged.structure, problem):
            return None
        domains = Counter(domain_id for _, _, domain_id in rows if domain_id)
        problem.domain_id = domains.most_common(1)[0][0] if domains else None
        agreement = agreement_of(alike, merged, lessons)
        title, *others = map(Spelling(_texts(lessons)).put_right, self._names_of(problem, lessons))
        draft = Draft(
            title=title,
            summary=summary_of(lessons, len(rows), _solutions(merged, lessons, self._language)),
            structure=merged.structure,
            evidence=self._evidence(problem, lessons, merged, rows)
            | {"agreement": agreement.as_json(), "also_told": others},
            confidence=agreement.confidence(len(lessons)),
            domain_id=problem.domain_id,
        )
        return replace(draft, **reworded(draft.title, draft.summary, draft.structure, problem.wording))

    def _names_of(self, problem: Problem, lessons: Sequence[Lesson]) -> list[str]:
        said = [Said(lesson.problem, lesson.engineer_id, lesson.session_id) for lesson in lessons[-NAMED:]]
        shared = shared_words(said, lambda word: self._groups.elsewhere(word, problem.id), self._language)
        told = list(_texts(lessons[-NAMED:]))
        return problem_names(said, shared, self._names, told=told, language=self._language)

    def _enhancement(
        self,
        problem: Problem,
        flow: Flow,
        lessons: Sequence[Lesson],
        rows: Sequence[tuple[UUID, str, UUID | None]],
    ) -> Draft | None:
        """The flow's current structure with a further option; None where it has no such question any more."""
        version = flow.current_version
        if version is None or flow.status != Flow.Status.PUBLISHED:
            return None
        nodes = {node["id"]: node for node in nodes_of(version.structure)}
        asked = nodes.get(problem.node_id)
        merged = merge(lessons, list(nodes), self._language)
        if asked is None or asked["type"] != "question" or merged is None:
            return None
        structure, label = with_option(version.structure, problem.node_id, merged.structure)
        if _is_faulty(structure, problem):
            return None
        came = Session.objects.filter(has_decision(node_id=problem.node_id), flow=flow).count()
        change = change_of(
            *("missing_option", problem.node_id, asked["title"]),
            label=label,
            n=len(rows),
            of=max(came, len(rows)),
        )
        return Draft(
            title=f"{flow.name}: add an option to “{asked['title']}”"[:300],
            summary=f"Engineers left the flow at “{asked['title']}” {len(rows)} times and went on by themselves. "
            f"What they did is drafted behind a further option, “{label}”.",
            structure=structure,
            evidence=self._evidence(problem, lessons, merged, rows) | {"change": change},
            confidence=round(wilson(len(merged.paths), len(lessons))[0], 3),
            domain_id=flow.domain_id,
        )

    def _evidence(
        self,
        problem: Problem,
        lessons: Sequence[Lesson],
        merged: Merged,
        rows: Sequence[tuple[UUID, str, UUID | None]],
    ) -> dict[str, Any]:
        return evidence_of(
            lessons,
            merged,
            sessions=[id_ for id_, _, _ in rows],
            outcomes=Counter(outcome for _, outcome, _ in rows),
            about=self._groups.about(problem.id),
            flows=None if problem.flow_id else self._flows,
        )


class KnownProposals:
    """New flows that were proposed in the account in scope, reviewed or not, by what they are about."""

    def __init__(self) -> None:
        self._known: list[tuple[UUID, UUID | None, Told]] = []  # the oldest first
        self._with_word: dict[str, list[int]] = defaultdict(list)  # their places

    def about(self, about: Told, domain_id: UUID | None) -> UUID | None:
        """The newest proposal that is about this, of the domain or of none; without a domain, of any."""
        words = nlargest(MOST, about.own, key=lambda word: (about.own[word], word))
        shared = Counter[int]()
        for word in words:
            if word not in FAINT:
                shared.update(self._with_word.get(word, ()))
        least = min(2, max(shared.values(), default=0))
        for place in sorted((place for place, count in shared.items() if count >= least), reverse=True):
            id_, its_domain, its = self._known[place]
            near = domain_id is None or its_domain is None or its_domain == domain_id
            if near and (is_about(words, its.own) or are_one(*about, *its)):
                return id_
        return None

    def read_on(self) -> None:
        """What was filed since, by whomever: an id tells when."""
        newest = self._known[-1][0] if self._known else UUID(int=0)
        rows = FlowProposal.objects.filter(kind=FlowProposal.Kind.NEW_FLOW, id__gt=newest).order_by("id")
        columns = ("id", "domain_id", "evidence__terms", "evidence__step_terms")
        for id_, domain_id, terms, step_terms in rows.values_list(*columns):
            self.add(id_, domain_id, terms, step_terms)

    def add(self, id_: UUID, domain_id: UUID | None, terms: object, step_terms: object) -> None:
        told = Told(_weights(terms), _weights(step_terms))
        for word in told.own:
            self._with_word[word].append(len(self._known))
        self._known.append((id_, domain_id, told))


def _whole_problems() -> QuerySet[Problem]:
    return Problem.objects.select_related("flow__current_version")


def _weights(given: object) -> dict[str, float]:
    if not isinstance(given, dict):
        return {}
    return {word: float(weight) for word, weight in given.items() if isinstance(weight, int | float)}


def _names_known(account: Account) -> frozenset[str]:
    """Folded words of the names of the account's people and clients, none of which belongs into a title."""
    names = [*account.users.values_list("name", flat=True), *Client.objects.values_list("name", flat=True)]
    return frozenset(word for name in names for word in words(name) if len(word) > 1)


def _held(proposal_id: UUID | None) -> FlowProposal | None:
    if proposal_id is None:
        return None
    found: FlowProposal = FlowProposal.objects.select_for_update(of=("self",)).get(id=proposal_id)
    return found


def _write(proposal: FlowProposal, draft: Draft, problem: Problem) -> bool:
    """Saves the proposal if it does not say all of that already; whether it was."""
    wanted: dict[str, Any] = vars(draft)
    if not proposal._state.adding and all(getattr(proposal, name) == value for name, value in wanted.items()):
        return False
    for name, value in wanted.items():
        setattr(proposal, name, value)
    proposal.save()
    problem.wording_due = problem.flow_id is None
    return True


def _with(draft: Draft, **more: Any) -> Draft:
    return replace(draft, evidence=draft.evidence | more)


def _is_faulty(structure: Node, problem: Problem) -> bool:
    faults = faults_of(structure)
    if faults:
        logger.warning("No proposal for problem %s: %s", problem.id, faults[0])
    return bool(faults)


def _texts(lessons: Iterable[Lesson]) -> Iterable[str]:
    for lesson in lessons:
        yield from (lesson.problem, lesson.solution, *(step.title for step in lesson.steps))


def _solutions(merged: Merged, lessons: Sequence[Lesson], language: str) -> list[str]:
    """What solved it on the ways that most went, at most three."""
    solution_of = {str(lesson.session_id): lesson.solution for lesson in lessons}
    last_steps: dict[str, list[str]] = {}
    for path in merged.paths:
        if path["steps"]:
            last_steps.setdefault(path["steps"][-1]["node_id"], []).append(solution_of[path["session"]])
    ways = sorted(last_steps.values(), key=lambda said: -len(said))[:3]
    return [line for way in ways if (line := solution_line(way, language))]
