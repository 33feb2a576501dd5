"""What came of a step, as sessions answered it: which answers are one, and how that one is called."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from flowpilot.analysis.phrases import answer_label, meaning_of, same_answer
from resolutionflow.folding import fold

SOLVED, NOT_SOLVED, ANYTHING_ELSE = "Solved", "Not solved", "Anything else"
YES, NO = "Yes", "No"
JOINED = 48  # letters of an option that names more than one answer
SHORT = 12  # letters of an answer that says no more than that it helped, or did not

# Helped or not in the other languages that help desks write; English is known to phrases.py.
_NO = re.compile(r"\b(?:nein|nicht|kein|keine|keinen|nie|non|pas|rien|niet|geen|nee|nao)\b")
_YES = re.compile(
    r"\b(?:ja|jo|geht|funktioniert|klappt|lauft|gelost|behoben|erledigt|oui|marche|fonctionne|regle|si|sim|funciona|"
    r"risolto|funziona|werkt|opgelost)\b"
)


@lru_cache(maxsize=20_000)
def meaning(answer: str) -> str:
    """“yes” or “no” of an answer that says little else, in whichever language; "" of any other."""
    folded = fold(answer)
    if len(folded.split()) > 5:
        return ""
    if _NO.search(folded):
        return "no"
    return meaning_of(answer) or ("yes" if _YES.search(folded) else "")


def are_one(one: str, other: str) -> bool:
    first, second = meaning(one), meaning(other)
    return first == second if first or second else same_answer(one, other)


def classes(answers: Iterable[str]) -> list[list[int]]:
    """Which answers are one, by their places; those without any are one too. The first to be given comes first."""
    found: list[tuple[str, list[int]]] = []
    class_of: dict[str, list[int]] = {}
    for place, answer in enumerate(answers):
        if answer not in class_of:
            same = (places for first, places in found if answer and first and are_one(answer, first))
            class_of[answer] = next(same, [])
            if not class_of[answer]:
                found.append((answer, class_of[answer]))
        class_of[answer].append(place)
    return [places for _, places in found]


def label_of(said: Sequence[str], *, helped: bool | None) -> str:
    """The option of those who answered so, "" where nothing can be told. helped: whether they ended with the step,
    None where nobody did and so the step is a question about how things stand."""
    if helped is None:
        label = answer_label(said)
        return label if len(label) <= JOINED else answer_label(said, most=1)
    wanted = "yes" if helped else "no"  # of two who did the same, one was not helped by it at once
    label = answer_label([text for text in said if meaning(text) in ("", wanted)], most=1 if helped else 3)
    if not label or (meaning(label) and len(label) <= SHORT):
        return SOLVED if helped else NOT_SOLVED
    return label if len(label) <= JOINED else answer_label(said, most=1)
