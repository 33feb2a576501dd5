"""Stars and thumbs as JSON. Shapes are those of the API's contract."""

from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Router, Schema, Status
from ninja.errors import HttpError, ValidationError
from pydantic import StrictBool, StrictInt

from flowpilot.models import Session, Step
from flowpilot.sessions.api_shapes import SessionRating, told_rating
from ratings import thumbs
from ratings.access import session_to_rate, step_of_account
from ratings.forms import tidy
from ratings.models import COMMENT_LENGTH
from ratings.rating import NotCompleted, RatedAlready, rate
from resolutionflow.accounts.scoping import AccountRequest
from resolutionflow.api import (
    ERRORS,
    AccountSlug,
    ErrorDetail,
    Storable,
    body_of,
    in_account,
    own_sessions_only,
    read_body,
)

router = Router(tags=["Ratings"])
router.add_decorator(in_account)
engineers_only = own_sessions_only("A super admin rates no sessions.")


class SessionRatingIn(Schema):
    rating: StrictInt = Field(ge=1, le=5, description="Stars.")
    comment: Annotated[str, Field(max_length=COMMENT_LENGTH), Storable] | None = None


class StepFeedbackIn(Schema):
    session_id: UUID
    was_helpful: StrictBool


class StepFeedback(Schema):
    step_id: str
    was_helpful: bool
    status: Literal["created", "updated"]


@router.post(
    "/sessions/{uuid:session_id}/rate",
    response={201: SessionRating, 400: ErrorDetail, 409: ErrorDetail, **ERRORS},
    summary="Rate a session",
    openapi_extra=body_of(SessionRatingIn, rating=4, comment="It took me straight there"),
)
@engineers_only
def rate_session(
    request: AccountRequest, session_id: UUID, account: AccountSlug = None
) -> Status[dict[str, Any]]:
    """Stars and a comment for a session of one's own, once: 400 before its end, 409 the second time."""
    session = session_to_rate(request.user, session_id)
    wanted = read_body(request, SessionRatingIn)
    try:
        given = rate(session, stars=wanted.rating, comment=tidy(wanted.comment or ""), now=request.now)
    except NotCompleted as no:
        raise HttpError(400, str(no)) from no
    except RatedAlready as no:
        raise HttpError(409, str(no)) from no
    return Status(201, told_rating(given))


@router.post(
    "/steps/{uuid:step_id}/feedback",
    response={201: StepFeedback, 200: StepFeedback, **ERRORS},
    summary="Rate a step",
    openapi_extra=body_of(
        StepFeedbackIn, session_id="0192f0c4-5a41-7c3e-9a53-5d2b8f6d1c11", was_helpful=True
    ),
)
@engineers_only
def give_feedback(
    request: AccountRequest, step_id: UUID, account: AccountSlug = None
) -> Status[dict[str, Any]]:
    """A thumb on a step of the flow that one's own session runs; a second one changes the first."""
    step = step_of_account(step_id)
    wanted = read_body(request, StepFeedbackIn)
    session = _session_of(request, wanted.session_id, step, "body")
    created = thumbs.give(step, session, was_helpful=wanted.was_helpful, now=request.now)
    done = "created" if created else "updated"
    answer = {"step_id": str(step.id), "was_helpful": wanted.was_helpful, "status": done}
    return Status(201 if created else 200, answer)


@router.delete(
    "/steps/{uuid:step_id}/feedback", response={204: None, **ERRORS}, summary="Take back the rating of a step"
)
@engineers_only
def take_back_feedback(
    request: AccountRequest, step_id: UUID, session_id: UUID, account: AccountSlug = None
) -> Status[None]:
    """204 also where no thumb was given."""
    step = step_of_account(step_id)
    thumbs.take_back(step, _session_of(request, session_id, step, "query"))
    return Status(204, None)


def _session_of(request: AccountRequest, session_id: UUID, step: Step, where: str) -> Session:
    """The caller's own session, which runs the step's flow; raises the 404, 403 or 422."""
    session = session_to_rate(request.user, session_id)
    if step.flow_id != session.flow_id:
        fault = "The step is not one of the flow that this session runs."
        raise ValidationError([{"loc": [where, "session_id"], "msg": fault, "type": "value_error"}])
    return session
