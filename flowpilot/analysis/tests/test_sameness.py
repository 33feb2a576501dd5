"""Which steps, and which answers, are one: pairs that were judged by hand, and what the rule makes of them."""

import tomllib
from pathlib import Path

import pytest

from flowpilot.analysis.answers import meaning, same_answer, says_solved
from flowpilot.analysis.deeds import deed
from flowpilot.analysis.sameness import asks_nothing, changes, is_same_step, only_looks

PAIRS = tomllib.loads((Path(__file__).parent / "sameness.toml").read_text(encoding="utf-8"))


def measured(rule, pairs):
    """Precision and recall: of the pairs that the rule takes for one, and of those that are."""
    right = sum(rule(*pair) for pair in pairs["same"])
    wrong = sum(rule(*pair) for pair in pairs["other"])
    return right / (right + wrong), right / len(pairs["same"])


@pytest.mark.parametrize(
    ("pairs", "rule", "precision", "recall"),
    [
        (PAIRS["tuned"]["steps"], is_same_step, 1.0, 0.85),
        (PAIRS["unseen"]["steps"], is_same_step, 1.0, 0.7),
        (PAIRS["tuned"]["answers"], same_answer, 1.0, 0.95),
        (PAIRS["unseen"]["answers"], same_answer, 0.9, 0.85),
    ],
)
def test_most_of_what_is_one_is_found_and_hardly_anything_else(pairs, rule, precision, recall):
    found = measured(rule, pairs)
    assert found[0] >= precision
    assert found[1] >= recall


@pytest.mark.parametrize("kind", ["tuned", "unseen"])
def test_the_order_of_two_makes_no_difference(kind):
    for name, rule in (("steps", is_same_step), ("answers", same_answer)):
        for one, other in [*PAIRS[kind][name]["same"], *PAIRS[kind][name]["other"]]:
            assert rule(one, other) == rule(other, one)


@pytest.mark.parametrize(
    ("title", "acts", "things"),
    [
        ("Restarted the print spooler", {"restart"}, {"print", "spooler"}),
        ("Unplugged the dock's power for 30 seconds", {"restart"}, {"dock"}),
        ("Had the user swap the USB cable", {"renew"}, {"usb", "cable"}),
        ("Cyan toner cartridge replaced", {"renew"}, {"cyan", "toner"}),
        ("Print head cleaned", {"remove"}, {"print", "head"}),
        ("Removed the printer and added it again", {"again"}, {"printer"}),
        ("Signed out of Teams", {"signout"}, {"team"}),
        ("Turned the firewall off and on again", {"restart"}, {"firewal"}),
        ("Turned the firewall off", {"disable"}, {"firewal"}),
        ("Switched the TV to HDMI", {"set"}, {"tv", "hdmi"}),
        ("DNS was wrong", {"look"}, {"dns"}),
        ("Is the DHCP scope full?", {"look"}, {"dhcp", "scope", "full"}),
        ("Druckwarteschlange", set(), {"druckwarteschlang"}),
        ("", set(), set()),
    ],
)
def test_a_step_is_its_acts_and_its_things(title, acts, things):
    told = deed(title)
    assert (set(told.acts), set(told.things)) == (acts, things)


def test_looking_testing_and_doing():
    told = ["checked the cable", "tried another PC", "swapped the cable", "spooler", "What is the result?"]
    assert [only_looks(title) for title in told] == [True, False, False, False, True]
    assert [changes(title) for title in told] == [False, False, True, False, False]
    assert [asks_nothing(title) for title in told] == [False, False, False, False, True]
    assert not asks_nothing("Does the call appear in the records?")


@pytest.mark.parametrize(
    ("answer", "means", "solved"),
    [
        ("works, mail came within a minute", "yes", True),
        ("works after a restart of the terminal", "yes", True),
        ("Both screens are back", "yes", True),
        ("test payment went through", "yes", True),
        ("colours right again", "yes", True),
        ("geht wieder", "yes", True),
        ("address is right", "yes", False),
        ("ok", "yes", False),
        ("no more errors", "yes", False),
        ("no change", "no", False),
        ("does not connect", "no", False),
        ("black there too", "no", False),
        ("works, but only by cable", "", False),
        ("works only until the restart", "", False),
        ("stuck again", "", False),
        ("error is gone", "yes", True),
        ("it is gone now", "yes", True),
        ("drives are gone", "", False),
        ("all mails gone", "", False),
        ("problem is back", "", False),
        ("prompt came back", "", False),
        ("asks for the password again", "", False),
        ("disconnects again", "", False),
        ("kommt wieder", "", False),
        ("set back to default", "", False),
        ("535 authentication error in the log of the mail server", "", False),
        ("3 jobs stuck", "", False),
        ("", "", False),
    ],
)
def test_what_an_answer_means(answer, means, solved):
    assert (meaning(answer), says_solved(answer)) == (means, solved)


def test_what_stands_behind_a_comma_only_adds_to_an_answer():
    assert same_answer("Default is Reviewer", "Reviewer, that is enough")
    assert not same_answer("Default is Reviewer", "Default: free/busy only")
    assert not same_answer("grey cloud, signed out", "grey cloud, sync paused")


def test_answers_are_one_by_the_stems_of_their_language():
    assert same_answer("Warteschlangen voll", "volle Warteschlange", "german")
    assert not same_answer("Warteschlange voll", "Warteschlange leer", "german")
