"""The criterion for "the same problem"."""

import pytest

from flowpilot.analysis.likeness import are_one, is_about, likeness, rarity
from flowpilot.analysis.slips import Slips
from flowpilot.analysis.words import own_words
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


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("VPN connected but no network drives", {"+vpn", "+connect", "network", "share"}),
        ("Cannot connect the VPN", {"connect", "vpn"}),
        ("The VPN does not get connected", {"connect", "vpn"}),
        (
            "Outlook shows Disconnected, web mail works",
            {"outlook", "show", "drop", "+web", "+email", "+work"},
        ),
        ("Bluetooth headset connected", {"bluetooth", "audio", "+connect"}),  # nothing else is said
    ],
)
def test_what_is_as_it_should_be_is_no_complaint(problem, words):
    assert set(own_words(problem, "")) == words


@pytest.mark.parametrize("whose", ["(the night shift)", "– Tove", "- Mr Fenwick", "at the harbour site"])
def test_whose_problem_it_is_and_where_says_little(whose):
    plain = own_words("Scanner jams", "")
    told = own_words(f"Scanner jams {whose}", "")
    assert {word for word, weight in told.items() if weight == 1 and word != "site"} == set(plain)


def test_what_one_problem_has_reached_and_another_misses_makes_them_two():
    missed = {"bluetooth": 2.0, "headset": 2.0, "pair": 2.0}
    reached = {"bluetooth": 2.0, "headset": 2.0, "+pair": 2.0}
    assert are_one(missed, {}, missed | {"sound": 0.5}, {})
    assert not are_one(missed, {}, reached, {})


def test_systems_alone_make_no_two_problems_one():
    assert not are_one(
        {"mailbox": 2.0, "outlook": 2.0}, {}, {"mailbox": 2.0, "outlook": 2.0, "licenc": 1.0}, {}
    )
    assert are_one({"mailbox": 2.0, "quota": 2.0}, {}, {"mailbox": 2.0, "quota": 2.0, "licenc": 1.0}, {})


def test_two_words_that_are_two_letters_apart_are_no_slip():
    slips = Slips(["internet"])
    assert (slips.right("intranet"), slips.right("interent"), slips.right("intenet")) == (
        "intranet",
        "internet",
        "internet",
    )
