"""How a problem is called: a whole sentence of what several say, without whose it was."""

import pytest

from flowpilot.analysis.naming import Said, problem_names, shared_words


def names(*texts, known=()):
    """Of texts by as many engineers, in a domain with no other problem."""
    said = [Said(text, n, n) for n, text in enumerate(texts)]
    return problem_names(said, shared_words(said, lambda word: 0.0), known)


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        # Who cut off the subject is put behind whoever has one.
        (
            (
                "LT-0344 does not find the screens at the dock",
                "WS-0857 does not find the screens at the dock",
                "Screens black at the dock",
                "Screens black at the dock",
            ),
            "Screens black at the dock",
        ),
        # Where nobody has one, what stood there is told in general.
        (("LT-0344 asks for the BitLocker key", "PC-0279 asks for the BitLocker key"),
         "Device asks for the BitLocker key"),
        (("Ms Delacroix cannot open the room calendar", "Mr Fenwick cannot open the room calendar"),
         "User cannot open the room calendar"),
        # How long it takes belongs to the problem, when it was does not.
        (("PC takes ten minutes to start", "PC takes ten minutes to start"), "PC takes ten minutes to start"),
        (("No mail with the voice messages since Monday", "No mail with the voice messages since Tuesday"),
         "No mail with the voice messages"),
        # What a preposition leads to at the start goes with it.
        (("from home: VPN does not connect", "From home: VPN does not connect"), "VPN does not connect"),
    ],
)  # fmt: skip
def test_a_problem_is_named_by_a_whole_sentence(texts, name):
    assert names(*texts)[0] == name


def test_other_names_say_it_in_other_words():
    found = names(
        *(
            "External screens not detected by the docking station",
            "External screens not detected by the docking station",
        ),
        *("Docking station: power yes, picture no", "Docking station: power yes, picture no"),
        *("External screens not detected by docking station", "Monitors black at the docking station"),
        "Monitors black at the docking station of Acme",
        known=["acme"],
    )
    assert found == [
        "External screens not detected by the docking station",
        "Docking station: power yes, picture no",
        "Monitors black at the docking station",
    ]
