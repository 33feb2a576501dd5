"""What the calls send and how they are answered."""

from datetime import UTC, datetime
from uuid import UUID

URL = "/api/v1/sessions"
NOW = datetime(2026, 3, 31, 11, 0, tzinfo=UTC)
NOBODY = UUID(int=7)
COLLEAGUES = (403, {"detail": "This is a colleague's session."})
UNKNOWN = (404, {"detail": "No such session"})


def decided(id="a", node_id="root", answer="Yes", **more):
    return {"id": id, "node_id": node_id, "answer": answer, **more}


def faults(answer):
    """Where the faults of a 422 are; each has its words."""
    assert all(set(fault) == {"loc", "msg", "type"} and fault["msg"] for fault in answer["detail"])
    return [fault["loc"] for fault in answer["detail"]]
