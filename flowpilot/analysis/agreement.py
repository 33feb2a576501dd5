"""How sure a proposal is: how far its sessions agree, with the doubt that their number leaves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from flowpilot.analysis.merging import Merged
from flowpilot.analysis.reading import Lesson
from flowpilot.sessions.states import Outcome
from resolutionflow.metrics import wilson

GOT_AROUND = 0.5  # what a workaround is worth beside a solution


@dataclass(frozen=True)
class Agreement:
    """Shares, 0 to 1: `alike`, of the pairs of sessions that say the same problem; `drawn`, of the sessions whose way
    the tree holds; `ways`, of the steps on these ways that another session took too; `solved`, of the sessions that
    solved it, where getting around it counts half."""

    alike: float
    drawn: float
    ways: float
    solved: float

    def confidence(self, sessions: int) -> float:
        """The lower end of the 95 % interval (Wilson) of `drawn` times the mean of the other three, as a share of so
        many sessions."""
        agreed = self.drawn * fmean((self.alike, self.ways, self.solved))
        return round(wilson(agreed * sessions, sessions)[0], 3)

    def as_json(self) -> dict[str, float]:
        return {name: round(share, 3) for name, share in asdict(self).items()}


def agreement_of(alike: float, merged: Merged, lessons: Sequence[Lesson]) -> Agreement:
    taken = [merged.visits.get(step["node_id"], 0) for path in merged.paths for step in path["steps"]]
    return Agreement(
        alike=alike,
        drawn=len(merged.paths) / len(lessons),
        ways=fmean(visits > 1 for visits in taken) if taken else 0.0,
        solved=fmean(1.0 if lesson.outcome == Outcome.RESOLVED else GOT_AROUND for lesson in lessons),
    )
