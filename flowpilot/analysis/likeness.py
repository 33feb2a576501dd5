"""Whether two texts are about the same problem: the one criterion that grouping, filing again and the back-test share.

A problem is known by its own words with weights: how many of its sessions say a word, and how rare the word is in the
domain. A text is about it when its own words are among the heavy ones. Words that it has besides do no harm up to a
point: an engineer's text is short, a pasted mail is long. What was done about it can help where the words say half of
it, and never more than that: the same steps are taken for many problems.
"""

from collections.abc import Collection, Mapping
from math import log, sqrt
from operator import mul

from flowpilot.analysis.states import REACHED
from flowpilot.analysis.words import pointing, strength

ABOUT = (
    0.42  # of the weight that so many words could have at most, what a text about the problem has at least
)
SOME = 0.15  # from which on like steps make up for the rest
STEPS_HELP = 0.35  # what the same rare steps are worth at most
SURE, OTHER_STEPS = (
    0.75,
    0.15,
)  # below both it is another problem, if so many sessions tell what is done about this one
MUCH = 0.5  # of what is done about a problem: then one telling word will do
SETTLED = 6
TELLING = (
    1.5  # what the words that both have say at least: one telling word that both happen to have is too little
)
FEWEST, MOST = 3, 12  # words that a text counts as having, however short or long it is
MOST_TERMS = 40  # kept with a proposal
SAME_WORDS = 0.5  # of two problems, from which on they are one
CLEARLY = 0.25  # of the heaviest word's weight, from which on a word is clearly said
FEW_WORDS, LIKE_STEPS = 0.2, 0.3
SOME_WORDS, SAME_STEPS = 0.1, 0.4  # or some words and the same rare steps
PAIR_WORDS, PAIR_STEPS = 0.4, 0.15  # the same of two sessions
FEW_STEPS = 2  # words of what is done: of fewer, all are soon shared by chance
COMMON_STEP = 0.2  # of a domain's problems: a word that the steps of more have is no help


def is_about(problem_terms: Collection[str], evidence_terms: Mapping[str, float]) -> bool:
    """Whether a text with these words (flowpilot.analysis.words.words_of) is about the problem that `evidence_terms`,
    the `terms` of a proposal's evidence, tell of."""
    return closeness(problem_terms, evidence_terms) >= ABOUT


def closeness(
    problem_terms: Collection[str],
    evidence_terms: Mapping[str, float],
    *,
    steps: Collection[str] = (),
    step_terms: Mapping[str, float] | None = None,
    sessions: int = 0,
) -> float:
    """How near the text is to the problem: from ABOUT on they are one. 0 where what they share tells nothing.

    `steps` are the words of what was done, `step_terms` those of what is done about the problem, as so many sessions
    tell. Where those are enough to know that, a text that says only part of the problem and tells of nothing that is
    done about it is about another one.
    """
    words = set(problem_terms)
    both = [word for word in words if evidence_terms.get(word, 0) > 0]
    shared = sum(map(pointing, both))
    own = likeness(words, evidence_terms)
    steps = set(steps) - words
    # one step that both took is no proof, though it may be all that is known of the problem's
    done = likeness(steps, step_terms) * min(1.0, len(step_terms) / FEW_STEPS) if step_terms else 0.0
    if sessions >= SETTLED and own < SURE and done < OTHER_STEPS and _said(steps) >= FEWEST:
        return 0.0
    helped = STEPS_HELP * done if own >= SOME and _said(both) >= 1 else 0.0
    # A text of one word shares no more than that.
    enough = min(TELLING, 0.75 * min(sum(map(pointing, words)), sum(map(pointing, evidence_terms))))
    if shared < enough and done < MUCH:
        return 0.0
    return own + helped


def likeness(problem_terms: Collection[str], evidence_terms: Mapping[str, float]) -> float:
    """How much of the problem's weight the text has, 0 to 1, measured by the heaviest of so many words. Words that say
    little count as the part of one that they are."""
    words = set(problem_terms)
    count = min(max(round(_said(words)), FEWEST), MOST)
    most = sum(sorted(evidence_terms.values(), reverse=True)[:count])
    if most <= 0:
        return 0.0
    return min(1.0, sum(evidence_terms.get(word, 0.0) for word in words) / most)


def are_one(
    terms: Mapping[str, float],
    step_terms: Mapping[str, float],
    other_terms: Mapping[str, float],
    other_step_terms: Mapping[str, float],
) -> bool:
    """Whether two problems, each of several sessions, are one in other words. They know more of each other than a
    session's few words do: what is done about them may tell it, where the problems share some words."""
    if opposed(terms, other_terms):
        return False
    words = overlap(terms, other_terms)
    pointed = sum(map(pointing, _clear(terms) & _clear(other_terms)))
    if words >= SAME_WORDS and pointed >= TELLING:
        return True
    done = _done_alike(terms, step_terms, other_terms, other_step_terms)
    if words >= FEW_WORDS and pointed >= 1:
        return done >= LIKE_STEPS
    return words >= SOME_WORDS and done >= SAME_STEPS


def opposed(terms: Mapping[str, float], other_terms: Mapping[str, float]) -> bool:
    """Whether one of the two has for reached what is missed in the other."""
    one, other = _clear(terms), _clear(other_terms)
    return any(_misses(here, there) for here, there in ((one, other), (other, one)))


def _misses(one: Collection[str], other: Collection[str]) -> bool:
    reached = (word.removeprefix(REACHED) for word in one if word.startswith(REACHED))
    return any(word in other and word not in one for word in reached)


def _clear(terms: Mapping[str, float]) -> set[str]:
    """The words that a problem clearly says."""
    least = CLEARLY * max(terms.values(), default=0.0)
    return {word for word, weight in terms.items() if weight >= least}


def are_alike(
    words: Mapping[str, float],
    steps: Mapping[str, float],
    other_words: Mapping[str, float],
    other_steps: Mapping[str, float],
) -> bool:
    """The same of two sessions, each of which tells only its own way."""
    shared = overlap(words, other_words)
    return shared >= PAIR_WORDS or (
        shared >= SOME_WORDS and _done_alike(words, steps, other_words, other_steps) >= PAIR_STEPS
    )


def _done_alike(
    words: Mapping[str, float],
    steps: Mapping[str, float],
    other_words: Mapping[str, float],
    other_steps: Mapping[str, float],
) -> float:
    """How like what was done is, but for the words that both say of the problem: those count already."""
    known = words.keys() & other_words.keys()
    return overlap(
        *(
            {word: weight for word, weight in done.items() if word not in known}
            for done in (steps, other_steps)
        )
    )


def overlap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The cosine of the two, 0 to 1."""
    shared = sum(weight * other[word] for word, weight in one.items() if word in other)
    return shared / sqrt(_squared(one) * _squared(other)) if shared else 0.0


def _squared(weights: Mapping[str, float]) -> float:
    squared: float = sum(map(mul, weights.values(), weights.values()))
    return squared


def rarity(word: str, *, having: float, of: float) -> float:
    """How much a word tells that so many sessions of so many have. Twenty sessions are taken for granted, so that a
    new account does not take what its first three problems share for common."""
    return log(1 + (of + 20) / (having + 2)) * strength(word)


def rarity_of_step(word: str, *, having: int, of: int) -> float:
    """The same of a step's word that so many of the domain's problems have: nothing of what is done about anything."""
    share = (having + 1) / (of + 10)
    return -log(share) * strength(word) if share <= COMMON_STEP else 0.0


def _said(words: Collection[str]) -> float:
    """How much these words say together: the sum of their strengths."""
    return sum(map(strength, words))
