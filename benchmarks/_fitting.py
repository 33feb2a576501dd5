"""Fits the weights of the matching to labelled problems: the ones that make the right answers likeliest.

Each case is what speaks for each flow that was looked at, and the place of the right one, or None where none is. Plain
gradient ascent, for there are few weights and few cases; weights stay above zero, since each feature speaks for a flow.
That of what was learned stays as it is: the labelled problems hardly repeat, as those of a help desk do.
"""

import math
from collections.abc import Sequence

from flowpilot.matching.ranking import FEATURES, WEIGHTS, Features, chances

Case = tuple[list[Features], int | None]
ROUNDS = 400
LEARNED = FEATURES.index("learned")
CAUTION = 0.02  # how much large weights cost: few cases prove little


def fit(cases: Sequence[Case]) -> tuple[list[float], float]:
    """The weights of the features, and that of none."""
    weights, none = [1.0] * len(FEATURES), 2.0
    weights[LEARNED] = WEIGHTS[LEARNED]
    speed, pace = [0.0] * (len(FEATURES) + 1), [1e-9] * (len(FEATURES) + 1)
    for turn in range(ROUNDS):
        slopes = _slopes(cases, weights, none)
        rate = 0.15 * (1 - turn / ROUNDS) + 0.005
        for n, slope in enumerate(slopes):
            speed[n] = 0.9 * speed[n] + 0.1 * slope
            pace[n] = 0.99 * pace[n] + 0.01 * slope * slope
            step = rate * speed[n] / (math.sqrt(pace[n] / (1 - 0.99 ** (turn + 1))) + 1e-9)
            if n == LEARNED:
                continue
            if n < len(FEATURES):
                weights[n] = max(0.0, weights[n] + step)
            else:
                none += step
    return weights, none


def _slopes(cases: Sequence[Case], weights: Sequence[float], none: float) -> list[float]:
    slopes = [-CAUTION * weight for weight in weights] + [0.0]
    for flows, right in cases:
        scores = chances(flows, weights, none)
        of_none = 1 - sum(scores)
        slopes[-1] += ((right is None) - of_none) / len(cases)
        for place, (features, score) in enumerate(zip(flows, scores, strict=True)):
            missing = ((place == right) - score) / len(cases)
            for n, feature in enumerate(features):
                if feature:
                    slopes[n] += missing * feature
    return slopes
