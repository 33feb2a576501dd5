"""What an error report would show of the frames that an error came through."""

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from flowpilot.psa.providers.base import AddNote
from flowpilot.psa.providers.errors import PsaError
from flowpilot.tests.psa.conftest import SECRETS

MARKER = "RF-7K3M9Q2XT4WPA"


def frames_shown(act):
    """The provider's frames and those below them, as a report shows them: by file, with their variables."""
    with pytest.raises(PsaError) as caught:
        act()
    reporter = ExceptionReporter(RequestFactory().get("/"), caught.type, caught.value, caught.tb)
    return [frame for frame in reporter.get_traceback_frames() if "/tests/" not in frame["filename"]]


@pytest.mark.parametrize("fault", ["timeout_before_commit", "close_after_commit", "401", "500_before_commit"])
def test_no_frame_shows_a_key(stand_in, fault):
    provider = stand_in.provider()
    provider.check()
    wire = provider.render(AddNote("5000", "Text"), MARKER)
    stand_in.fail(fault, method="POST", path="/service/tickets/*")
    frames = frames_shown(lambda: provider.send(wire))
    assert {"send", "write"} <= {frame["function"] for frame in frames}
    told = str([frame["vars"] for frame in frames])
    assert not [secret for secret in SECRETS if secret in told]
    assert not [frame["filename"] for frame in frames if "httpcore" in frame["filename"]]


def test_no_frame_shows_a_wrong_secret_of_halopsa(halo):
    frames = frames_shown(halo.provider(client_secret="standInClientSecretButWrong").check)
    assert "_sign_in" in {frame["function"] for frame in frames}
    assert "standInClientSecret" not in str([frame["vars"] for frame in frames])
