"""Finding a Chromium or Chrome for the browser tests."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
PLACES = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
]
PLAYWRIGHT_FOLDERS = ["~/.cache/ms-playwright", "~/Library/Caches/ms-playwright"]
PLAYWRIGHT_PROGRAMS = ["chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*"]

HOW_TO_GET_ONE = (
    "install Chromium (Debian: apt install chromium) or Google Chrome, "
    "or run .venv/bin/python -m playwright install chromium"
)


@cache
def find_browser() -> str | None:
    """The path of the first browser on this machine that really runs; None if there is none.

    The variable CHROMIUM names one to look at first.
    """
    found = [os.environ.get("CHROMIUM"), *(shutil.which(name) for name in PROGRAMS), *PLACES]
    for folder in PLAYWRIGHT_FOLDERS:
        for pattern in PLAYWRIGHT_PROGRAMS:
            found += sorted(map(str, Path(folder).expanduser().glob(pattern)), reverse=True)
    return next((path for path in found if path and runs(path)), None)


def runs(path: str) -> bool:
    """Whether it is a browser that starts: on Ubuntu /usr/bin/chromium-browser may only point at a snap."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
