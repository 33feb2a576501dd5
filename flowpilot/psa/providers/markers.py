"""The marker that makes a push findable in the ticket system: `RF-` and 13 characters, 65 random bits."""

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # base32 without I, L, O and U, which are misread
LENGTH = 13
MARKER = re.compile(rf"RF-[{ALPHABET}]{{{LENGTH}}}")


def new_marker() -> str:
    return "RF-" + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def has_marker(text: str, marker: str) -> bool:
    """Whether the text holds exactly this marker, however its lines were broken or its words joined by others."""
    return re.search(rf"(?<![0-9A-Za-z-]){re.escape(marker)}(?![0-9A-Za-z])", text) is not None
