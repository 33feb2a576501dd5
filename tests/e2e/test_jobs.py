import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from resolutionflow.jobs import put_stalled_jobs_back
from resolutionflow.jobs.models import JobFailure
from tests.e2e.axe import axe
from tests.e2e.looks import NARROW_DARK, WIDE
from tests.e2e.people import log_in

pytestmark = pytest.mark.browser


@pytest.fixture
def failed(transactional_db):
    job_id = put_stalled_jobs_back.defer()
    JobFailure.record(
        job_id=job_id, kind="jobs.put_back", attempt=1, error=f"OSError: {'x' * 250}", at=timezone.now()
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")


@pytest.mark.parametrize("look", [WIDE, NARROW_DARK], ids=str)
def test_a_super_admin_runs_a_job_and_tries_another_again(page, failed, super_admin):
    log_in(page, super_admin)
    page.goto("/jobs/")
    expect(page.get_by_role("alert")).to_contain_text("No worker is at work")
    axe(page)
    page.get_by_role("button", name="Run now: Remove old jobs").click()
    expect(page.get_by_text("“Remove old jobs” is queued.")).to_be_visible()
    page.get_by_role("button", name="Try again: Put stalled jobs back").click()
    expect(page.get_by_text("is queued once more")).to_be_visible()
    expect(page.get_by_role("button", name="Try again: Put stalled jobs back")).to_have_count(0)
    axe(page)
