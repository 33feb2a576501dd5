"""A text that may hold several problems, taken apart."""

import pytest

from flowpilot.matching.concepts import concepts
from flowpilot.matching.parts import MOST_PARTS, parts_of


def parts(text, language="english"):
    return parts_of(text, set(concepts(text, language)), language)


@pytest.mark.parametrize(
    "text",
    [
        "The VPN tunnel drops. The Ricoh copier jams.",
        "VPN tunnel drops\n\nRicoh copier jams",
        "vpn tunnel drops and also ricoh copier jams",
        "VPN tunnel drops - Ricoh copier jams",
    ],
)
def test_sentences_lines_and_what_also_joins_are_parts(text):
    first, second = parts(text)
    assert (first & second, {"vpn", "drop"} <= first, {"printer", "jam"} <= second) == (set(), True, True)


@pytest.mark.parametrize(
    "text", ["", "...", "VPN tunnel drops", "VPN tunnel drops. Please help!", "Hello!\nVPN drops"]
)
def test_one_problem_has_no_parts(text):
    assert parts(text) == []


def test_words_of_english_join_nothing_in_other_languages():
    assert parts("drucker klemmt and also tunnel bricht ab", "german") == []


def test_of_many_parts_those_that_say_least_are_put_together():
    lines = [f"Alpha{n} beta{n} gamma{n}" for n in range(MOST_PARTS)]
    found = parts("\n".join([*lines, "Short one1", "Brief one2"]))
    assert len(found) == MOST_PARTS
    assert {"short", "brief"} <= found[-1]
