"""Texts that PostgreSQL can keep."""

import re

UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of a surrogate pair
