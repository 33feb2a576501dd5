"""How a session went: the steps taken, with a flow or without, and how it ended."""

from dataclasses import dataclass
from random import Random

from flowpilot.sessions.driving import LEFT_FLOW
from flowpilot.sessions.states import Outcome, Status, Tier
from operations.demo.msp import cast
from operations.demo.msp.discoveries import Left, Recurring, in_words_of
from operations.demo.msp.problems import seen_by, settled, tried
from operations.demo.msp.walking import Taken, Walker

ABANDONED = Status.ABANDONED.value
ENDS = (*Outcome.values, ABANDONED)
WEIGHTS = {  # how sessions end, in the order of ENDS: resolved, workaround, escalated, unresolved, abandoned
    Tier.GUIDED: (72, 8, 9, 4, 5),
    Tier.EXPLORING: (60, 10, 15, 6, 7),
    Tier.DISCOVERY: (52, 12, 19, 8, 9),
}
BETTER_BY_THE_END = 16  # what resolved gains over the story
GIVEN_UP, ESCALATED = 0.46, 0.96  # at the weak step; after the weak answer
SOLVED = (Outcome.RESOLVED, Outcome.WORKAROUND)
TERSE = 0.94  # how often only the last step without a guide is written down, unless the problem is worth more
ASKED_FIRST = 0.2  # how often something general is tried before what the problem needs
OTHER_END = 0.05  # of the guided sessions whose engineer chose another outcome than the leaf proposed


@dataclass(frozen=True)
class Step:
    """One decision. `undone`: taken back right afterwards; `left`: the one that left the flow."""

    node_id: str | None
    title: str
    answer: str
    undone: bool = False
    left: bool = False


@dataclass(frozen=True)
class Course:
    """`end` is an outcome or "abandoned"."""

    end: str
    steps: list[Step]


def guided(walker: Walker, flow: str, day: int, *, revised: bool, random: Random) -> Course:
    """Along the flow. Its weak spots, if it has any, are in `cast`."""
    end = _end(Tier.GUIDED, day, random, gain=14 if revised else 0)
    first_answer = ""
    if flow == cast.ESCALATES and random.random() < 0.3:
        first_answer = walker.structure["options"][-1]["label"]
        if random.random() < ESCALATED:
            end = Outcome.ESCALATED.value
    taken, leaf = walker.to("" if end == ABANDONED else end, random, first_answer=first_answer)
    if flow == cast.LEFT_AT[0] and random.random() < GIVEN_UP:
        at = [place for place, step in enumerate(taken) if step.node["id"] == cast.LEFT_AT[1]]
        if at:
            return Course(ABANDONED, _steps(taken[: at[0] + 1], random))
    if end == ABANDONED:
        return Course(end, _steps(taken[: random.randint(1, len(taken))], random))
    proposed = leaf["outcome"]
    return Course(end if random.random() < OTHER_END else proposed, _steps(taken, random))


def left(walker: Walker, day: int, random: Random) -> Course:
    """A flow that fitted partly: some steps along it, then the engineer's own."""
    taken, _ = walker.to("", random)
    kept = taken[: random.randint(1, max(1, len(taken) * 2 // 3))]
    end = _end(Tier.EXPLORING, day, random)
    return Course(end, _steps(kept, random) + _written(_own(random) + _settled(end, random), random))


def left_at(walker: Walker, spot: Left, engineer: int, day: int, random: Random) -> Course:
    """Along the flow to the step that has no fitting answer, then what all do there."""
    end = _end(Tier.EXPLORING, day, random)
    taken = walker.straight_to(spot.node)
    node = walker.nodes[spot.node]
    steps = [Step(step.node["id"], step.node["title"], step.answer) for step in taken]
    steps.append(Step(node["id"], node["title"], LEFT_FLOW, left=True))
    if end in SOLVED:
        steps.append(Step(None, *seen_by(engineer)))
        steps.append(Step(None, in_words_of(engineer, spot.titles, random), random.choice(spot.answers)))
    if end == Outcome.WORKAROUND:
        steps += _settled(end, random)
    return Course(end, steps)


def discovered(problem: Recurring, engineer: int, day: int, random: Random) -> Course:
    """Without a flow, about a problem of which several engineers found out what helps; what did not end well stopped
    before that."""
    end = _end(Tier.DISCOVERY, day, random)
    gone = problem.gone(engineer, random)
    if end != Outcome.RESOLVED:
        gone = gone[:-1]
    if end == Outcome.WORKAROUND:
        gone.append((problem.workaround[0], problem.workaround[1]))
    asked = tried(random)[:1] if random.random() < ASKED_FIRST else []
    return Course(end, [Step(None, title, answer) for title, answer in asked + gone])


def alone(walker: Walker | None, day: int, random: Random) -> Course:
    """Without a flow. `walker`: the ways of a flow that would have fitted; the engineer finds some of its steps too."""
    end = _end(Tier.DISCOVERY, day, random)
    steps = _own(random)
    if walker is not None:
        taken, _ = walker.to(Outcome.RESOLVED.value, random)
        found = [step for step in taken if random.random() < 0.55]
        steps += [Step(None, step.node["title"], step.answer or "done") for step in found]
    done = steps + _settled(end, random)
    return Course(end, _written(done, random) if walker else done[-1:])


def _written(steps: list[Step], random: Random) -> list[Step]:
    """What of it is written down."""
    return steps[-1:] if random.random() < TERSE else steps


def _end(tier: Tier, day: int, random: Random, *, gain: float = 0) -> str:
    weights = [float(weight) for weight in WEIGHTS[tier]]
    weights[0] += gain + BETTER_BY_THE_END * day / cast.DAYS
    return random.choices(ENDS, weights)[0]


def _own(random: Random) -> list[Step]:
    return [Step(None, title, answer) for title, answer in tried(random)]


def _settled(end: str, random: Random) -> list[Step]:
    return [Step(None, title, answer) for title, answer in settled(end, random)]


def _steps(taken: list[Taken], random: Random) -> list[Step]:
    steps = []
    for step in taken:
        others = [o["label"] for o in step.node.get("options", []) if o["label"] != step.answer]
        if others and random.random() < 0.025:
            steps.append(Step(step.node["id"], step.node["title"], random.choice(others), undone=True))
        steps.append(Step(step.node["id"], step.node["title"], step.answer))
    return steps
