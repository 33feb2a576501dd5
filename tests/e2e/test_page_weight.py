"""What the team page costs to fetch, with the static files collected, hashed and compressed as in production."""

import pytest
from django.core.management import call_command
from django.test.testcases import LiveServerThread
from playwright.sync_api import expect

from tests.e2e.looks import WIDE
from tests.e2e.people import log_in

pytestmark = pytest.mark.browser

FIRST_VISIT, NEXT_VISIT = 550_000, 60_000


@pytest.fixture
def production_server(transactional_db, settings, tmp_path):
    """Serves the static files as gunicorn does: by WhiteNoise, from where collectstatic put them."""
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]  # only our own
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = False
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    thread = LiveServerThread("localhost", static_handler=lambda application: application)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://localhost:{thread.port}"
    thread.terminate()


def test_the_team_page_is_light(browser, production_server, team, team_admin):
    context = browser.new_context(base_url=production_server, **WIDE.options)
    context.base_address = production_server
    log_in(context.new_page(), team_admin)

    def fetch(address):
        """The bytes that came over the wire for one visit, by the last part of their address."""
        page = context.new_page()
        sizes, names = {}, {}
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]}))
        network.on(
            "Network.loadingFinished",
            lambda e: sizes.update({names[e["requestId"]]: e["encodedDataLength"]}),
        )
        page.goto(address)
        expect(page.locator("#chart-outcomes .main-svg").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.close()
        return sizes

    first = fetch("/analytics/")
    again = fetch("/analytics/?period=90d")
    context.close()
    assert any("plotly.min." in name for name in first)
    assert sum(first.values()) <= FIRST_VISIT, first
    assert sum(again.values()) <= NEXT_VISIT, again
