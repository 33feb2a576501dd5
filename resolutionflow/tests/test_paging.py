from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError

from resolutionflow.accounts.models import AuditEntry
from resolutionflow.paging import Cursor, page_of

NINE = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
AN_ID = UUID("0197f000-0000-7000-8000-000000000001")


def page(*, before=None, after=None, size=3, **order):
    """A page as a visitor gets it: cursors go through a URL."""
    before, after = (cursor and Cursor.read(str(cursor)) for cursor in (before, after))
    return page_of(AuditEntry.objects.all(), "at", size, before=before, after=after, **order)


def entry(**after):
    return AuditEntry.objects.create(action="test", at=NINE + timedelta(**after))


@pytest.fixture
def ten(db):
    """Newest first; four of them happened in the same microsecond, so that the id decides."""
    rows = [entry(minutes=minutes, microseconds=7) for minutes in (9, 8, 7, 5, 5, 5, 5, 3, 2, 1)]
    return sorted(rows, key=lambda row: (row.at, row.id), reverse=True)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9, 10, 11])
def test_forward_and_back_every_row_comes_once(ten, size):
    pages = [page(size=size)]
    while pages[-1].after:
        pages.append(page(after=pages[-1].after, size=size))
    assert [row for p in pages for row in p.rows] == ten
    assert [len(p.rows) for p in pages[:-1]] == [size] * (len(pages) - 1)
    back = [pages[-1]]
    while back[0].before:
        back.insert(0, page(before=back[0].before, size=size))
    assert [p.rows for p in back] == [p.rows for p in pages]
    assert back[0].before is None
    assert pages[0].before is None


def test_the_same_list_with_the_oldest_first(ten):
    first = page(oldest_first=True, size=4)
    second = page(oldest_first=True, size=4, after=first.after)
    assert first.rows + second.rows == ten[:1:-1]
    assert page(oldest_first=True, size=4, before=second.before).rows == first.rows
    assert first.before is None


def test_rows_that_come_in_between_move_nothing(ten):
    first = page()
    newer = entry(hours=1)
    second = page(after=first.after)
    assert second.rows == ten[3:6]
    assert page(before=second.before).rows == first.rows
    assert page(before=page(before=second.before).before).rows == [newer]


def test_the_row_of_the_cursor_may_be_gone(ten):
    first = page()
    AuditEntry.objects.filter(id=first.rows[-1].id).delete()
    assert page(after=first.after).rows == ten[3:6]


def test_an_empty_list_has_one_empty_page(db):
    empty = page()
    assert (empty.rows, empty.before, empty.after) == ([], None, None)


def test_a_full_last_page_leads_nowhere(ten):
    assert page(size=10).after is None
    assert page(size=5, after=page(size=5).after).after is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "x",
        "2026-03-10",
        f"2026-03-10T09:00:00_{AN_ID}",  # without a zone
        f"2026-03-10T09:00:00+00:00_{AN_ID}x",
        "2026-03-10T09:00:00+00:00_",
        "2026-03-10T09:00:00+00:00",
        f"_{AN_ID}",
        f"2026-02-30T09:00:00+00:00_{AN_ID}",
        f"0001-01-01T00:00:00+14:00_{AN_ID}",  # no moment that UTC can name
        f"9999-12-31T23:59:59-14:00_{AN_ID}",
        "\0",
        f"2026-03-10T09:00:00+00:00_\0{AN_ID}",
        "9" * 100_000,
    ],
)
def test_a_cursor_that_nobody_wrote_is_refused(text):
    with pytest.raises(ValidationError, match="This page does not exist"):
        Cursor.read(text)


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "2026-03-10T09:00:00+00:00:00.5"]
)
def test_a_cursor_at_an_odd_time_still_pages(ten, at):
    cursor = Cursor.read(f"{at}_{AN_ID}")
    assert len(page_of(AuditEntry.objects.all(), "at", 3, before=None, after=cursor).rows) in (0, 3)
