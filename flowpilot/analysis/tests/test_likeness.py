"""The criterion for "the same problem"."""

import pytest

from flowpilot.analysis.likeness import is_about, likeness, rarity
from flowpilot.matching.text import terms

SPOOLER = {"queue": 3.0, "print": 2.5, "stuck": 2.0, "spooler": 2.0, "job": 1.5, "hp": 0.5, "402": 0.5}


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Print jobs stuck in the queue", True),
        ("Jobs hang in the printing queue", True),
        ("Queue stuck", True),
        ("Printing is slow", False),  # one word in common
        ("Toner is empty on the HP 402", False),
        ("Cannot sign in to the mailbox", False),
        ("", False),
    ],
)
def test_a_text_is_about_a_problem_when_it_has_its_heavy_words(text, about):
    assert is_about(terms(text), SPOOLER) is about


def test_the_weight_is_measured_by_the_heaviest_of_so_many_words():
    # three words, of which two are known: 3.0 + 2.0 of 3.0 + 2.5 + 2.0
    assert likeness(["queue", "stuck", "again"], SPOOLER) == pytest.approx(5.0 / 7.5)
    # a word said twice counts once, one word counts as three
    assert likeness(["queue", "queue"], SPOOLER) == pytest.approx(3.0 / 7.5)


def test_a_problem_of_one_word_is_met_by_it_and_nothing_by_none():
    assert is_about(["0x80070035"], {"0x80070035": 4.0})
    assert not is_about([], SPOOLER)
    assert not is_about(["queue"], {})


def test_rare_words_tell_more_and_pale_ones_little():
    assert rarity("spooler", having=1, of=1000) > rarity("print", having=200, of=1000)
    assert rarity("user", having=1, of=1000) < rarity("print", having=100, of=1000)
