"""What /api/v1/sessions tells of a rating, and to whom."""

import json
from datetime import UTC, datetime

import pytest

from flowpilot.tests.factories import SessionFactory
from ratings.tests.factories import SessionRatingFactory

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


@pytest.fixture
def read(client):
    def read(user, path):
        client.force_login(user)
        return client.get(f"/api/v1/sessions{path}").json()

    return read


def test_the_rating_stands_there_for_its_engineer_alone(read, engineer, team_admin):
    session = SessionFactory(user=engineer)
    rating = SessionRatingFactory(session=session, rating=2, comment="Slow", created_at=NOW)
    assert read(engineer, f"/{session.id}")["rating"] == {
        "id": str(rating.id),
        "session_id": str(session.id),
        "rating": 2,
        "comment": "Slow",
        "created_at": "2026-03-10T09:30:00Z",
    }
    assert "rating" not in read(team_admin, f"/{session.id}")
    everything = read(team_admin, "?period=all")
    assert everything["count"] == 1
    assert "Slow" not in json.dumps(everything)
