"""Whether something is as it should be, or is not: “VPN connected, but no drives” is another problem than “VPN does not
connect”, though they share their words.

In English only, like the concepts. A clause that says that something works and denies nothing is no complaint.
"""

import re
from collections.abc import Iterator

from resolutionflow.folding import fold

REACHED = "+"  # before a word that is said as reached: as the word of a problem it is another one

CLAUSES = re.compile(
    r"[,;:.!?()\n–—]+|\s-\s|\b(?:but|although|though|while|whereas|yet|however|and)\b", re.IGNORECASE
)
# Said of what is as it should be.
_SOUND = "connected connects paired plugged works working accepts accepted registered ok okay fine yes up"
SOUND = frozenset(_SOUND.split())
SAID_SOUND = re.compile(rf"\b(?:{'|'.join(sorted(SOUND))})\b")
DENIED = re.compile(
    r"\b(?:no|not|never|nothing|nobody|none|neither|nor|without|stop\w*|fail\w*|cannot|hardly|barely|"
    r"\w+n['’]t|(?:ca|wo|do|does|did|is|are|was|were|has|have)nt)\b"
)


def clauses(text: str) -> Iterator[tuple[str, bool]]:
    """The clauses of a text, and whether each says that something is as it should be; whole where none does."""
    if not SAID_SOUND.search(fold(text)):
        yield text, False
        return
    for clause in CLAUSES.split(text):
        plain = fold(clause)
        yield clause, bool(SAID_SOUND.search(plain)) and not DENIED.search(plain)
