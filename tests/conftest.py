import os

import pytest

from tests.browser import HOW_TO_GET_ONE, find_browser


def pytest_configure(config):
    if find_browser() is None and os.environ.get("CI", "").lower() in {"1", "true"}:
        raise pytest.UsageError(f"The browser tests need a browser: {HOW_TO_GET_ONE}.")


def pytest_collection_modifyitems(config, items):
    if find_browser() is None:
        left_out = [item for item in items if item.get_closest_marker("browser")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_unconfigure(config):
    # After pytest's own last line. A worker of pytest-xdist has no terminal.
    if find_browser() is None and not hasattr(config, "workerinput"):
        print(
            f"The browser tests did not run: no Chromium or Chrome was found. To run them, {HOW_TO_GET_ONE}."
        )
