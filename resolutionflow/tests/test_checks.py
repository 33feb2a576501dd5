import pytest

from resolutionflow.checks import base_url_names_a_host


@pytest.mark.parametrize(
    ("address", "faults"),
    [
        ("https://help.example.com", 0),
        ("http://localhost:8000", 0),
        ("https://", 1),
        ("https://*", 1),
        ("https://.example.com", 1),
        ("https://help.example.com/path", 1),
        ("help.example.com", 1),
    ],
)
def test_mail_needs_an_address_for_its_links(address, faults, settings):
    settings.BASE_URL = address
    assert len(base_url_names_a_host(None)) == faults
