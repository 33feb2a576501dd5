"""What engineers think of a session and of the steps in it."""

from functools import reduce
from operator import add
from typing import ClassVar

from django.db import models
from django.db.models import Case, Func, Q, When
from django.db.models.lookups import Exact
from django.utils import timezone

from flowpilot.models import Flow, Session, Step
from resolutionflow.tenancy.models import (
    OwnerForeignKey,
    TenantForeignKey,
    TenantModel,
    TenantOneToOneField,
)

COMMENT_LENGTH = 500
STARS = {1: "Poor", 2: "Fair", 3: "Fine", 4: "Good", 5: "Great"}


class SessionRating(TenantModel):
    """One to five stars from the session's engineer, given once."""

    session = TenantOneToOneField(Session, models.PROTECT, related_name="rating")
    user = OwnerForeignKey()
    flow = TenantForeignKey(Flow, models.PROTECT, null=True, blank=True, related_name="+")
    rating = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=COMMENT_LENGTH, null=True, blank=True)  # noqa: DJ001 - null: none given
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                name="session_rating_has_one_to_five_stars", condition=Q(rating__gte=1, rating__lte=5)
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "created_at"], name="session_rating_by_time")]

    def __str__(self) -> str:
        return f"{self.rating} of 5"

    @property
    def word(self) -> str:
        return STARS[self.rating]


class Reason(models.TextChoices):
    """What a thumb down may say of a step."""

    WRONG = "wrong", "Wrong"
    OUTDATED = "outdated", "Outdated"
    UNCLEAR = "unclear", "Unclear"
    MISSING_OPTION = "missing_option", "Missing option"
    DID_NOT_FIT = "did_not_fit", "Did not fit"


def _each_reason_once() -> Q:
    """`reasons` is a list, and as long as there are reasons in it: nothing else, and none twice."""
    kind = Func("reasons", function="jsonb_typeof", output_field=models.TextField())
    length = Func("reasons", function="jsonb_array_length", output_field=models.IntegerField())
    found = (Case(When(reasons__contains=[reason.value], then=1), default=0) for reason in Reason)
    return Q(Exact(kind, "array")) & Q(Exact(length, reduce(add, found)))


class StepRating(TenantModel):
    """A thumb on one step within one session; a second one changes the first. `reasons`: of Reason, none twice."""

    step = TenantForeignKey(Step, models.PROTECT, related_name="ratings")
    user = OwnerForeignKey()
    session = TenantForeignKey(Session, models.PROTECT, related_name="step_ratings")
    was_helpful = models.BooleanField()
    reasons = models.JSONField(default=list)
    comment = models.CharField(max_length=COMMENT_LENGTH, null=True, blank=True)  # noqa: DJ001 - null: none given
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "step", "user", "session"], name="step_rating_once_a_session"
            ),
            models.CheckConstraint(name="step_rating_has_each_reason_once", condition=_each_reason_once()),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "session"], name="step_rating_by_session")]

    def __str__(self) -> str:
        return "Helpful" if self.was_helpful else "Not helpful"

    @property
    def reasons_in_words(self) -> list[str]:
        return [Reason(reason).label for reason in self.reasons]
