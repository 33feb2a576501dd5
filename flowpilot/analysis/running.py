"""A run of the analysis: read what is new, batch by batch, then file what that changes.

A batch is one transaction: its sessions are marked as read and come to their problems together, and a problem that has
changed is marked as due with them. Filing is a transaction for some problems at a time, which takes that mark off. So
a run that ends anywhere loses nothing and doubles nothing; the next one goes on where it stopped.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, Sum

from flowpilot.analysis.dropping import file_unneeded
from flowpilot.analysis.filing import Filed, file_due
from flowpilot.analysis.grouping import Group, Groups
from flowpilot.analysis.language_model import installed_model
from flowpilot.analysis.locking import locked_account
from flowpilot.analysis.models import Problem, ProblemSession
from flowpilot.analysis.reading import Left, Lesson, lessons_of, sessions_of, unread
from flowpilot.analysis.wording import improve_wording
from flowpilot.flows.models import Flow
from flowpilot.flows.structure import nodes_of
from resolutionflow.accounts.models import Account
from resolutionflow.tenancy import account_scope

BATCH = 2000  # sessions of a transaction
A_RUN = 3  # batches of an account that the job reads each time


@dataclass(frozen=True)
class Analysed:
    """`read` counts the sessions that were looked at, `taught` those that told enough."""

    read: int
    taught: int
    filed: Filed


def analyse(account: Account, now: datetime, *, batches: int | None = None) -> Analysed:
    """Reads at most so many batches, or all there is, and files what is due. Twice at once, or twice in a row, does
    what once does."""
    with account_scope(account):
        read = taught = 0
        kept = _Kept(account)
        while batches is None or batches > 0:
            more, telling = _read_batch(account, now, kept)
            read, taught = read + more, taught + telling
            if more < BATCH:
                break
            batches = None if batches is None else batches - 1
        filed = file_due(account) + file_unneeded(account, now)
        improve_wording(account, installed_model())
    return Analysed(read, taught, filed)


def analyse_all(now: datetime) -> None:
    """A run in each account, as the job does it."""
    for account in Account.objects.order_by("id"):
        analyse(account, now, batches=A_RUN)


class _Kept:
    """All problems, from one batch of a run to the next. If somebody else has worked on them in between, they are read
    again: each session that is read counts in a problem, joining makes fewer of them, filing takes marks off."""

    def __init__(self, account: Account) -> None:
        self._language = account.language
        self._groups: Groups | None = None
        self._marks: Mapping[str, int] = {}

    def groups(self) -> Groups:
        if self._groups is None or self._marks != _marks():
            self._groups = Groups.load(self._language)
        return self._groups

    def stored(self) -> None:
        self._marks = _marks()


def _marks() -> Mapping[str, int]:
    return Problem.objects.aggregate(
        problems=Count("id"), sessions=Sum("session_count"), due=Count("id", filter=Q(due=True))
    )


def _read_batch(account: Account, now: datetime, kept: _Kept) -> tuple[int, int]:
    """How many sessions were read, and how many of them told enough."""
    with locked_account(account):
        ids = list(unread().values_list("id", flat=True)[:BATCH])
        if not ids:
            return 0, 0
        sessions = sessions_of(ids)
        lessons = list(_settled(lessons_of(sessions.order_by("completed_at", "id"))))
        if lessons:
            groups = kept.groups()
            changed = {group.id: group for group in map(groups.place, lessons)}
            _store(changed.values())
            kept.stored()
        sessions.update(analysed_at=now)
    return len(ids), len(lessons)


def _settled(lessons: Iterable[Lesson]) -> Iterator[Lesson]:
    """A flow that was left at what is no question of it, or no longer, has no place for an option: the session counts
    as one without a guide."""
    told = list(lessons)
    flows = Flow.objects.filter(
        id__in={lesson.left.flow_id for lesson in told if lesson.left}, status=Flow.Status.PUBLISHED
    )
    questions = {
        Left(id_, node["id"])
        for id_, structure in flows.values_list("id", "current_version__structure")
        if structure
        for node in nodes_of(structure)
        if node["type"] == "question"
    }
    for lesson in told:
        yield lesson if lesson.left is None or lesson.left in questions else replace(lesson, left=None)


def _store(groups: Iterable[Group]) -> None:
    rows, belonging = [], []
    for group in groups:
        left = group.home if isinstance(group.home, Left) else None
        rows.append(
            Problem(
                id=group.id,
                domain_id=group.home if isinstance(group.home, UUID) else None,
                flow_id=left.flow_id if left else None,
                node_id=left.node_id if left else "",
                words=group.words,
                step_words=group.step_words,
                session_count=group.count,
                due=True,
            )
        )
        belonging += [ProblemSession(problem_id=group.id, session_id=id_) for id_ in group.came]
        group.came.clear()
    Problem.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id", "account"],
        update_fields=["domain", "words", "step_words", "session_count", "due"],
        batch_size=500,
    )
    ProblemSession.objects.bulk_create(belonging, batch_size=1000)
