"""How often a user may ask: counted in the database, so that the limit holds over all processes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from math import ceil
from typing import Any, ClassVar

from django.db import models, transaction
from django.http import JsonResponse

from resolutionflow.accounts.models import User
from resolutionflow.accounts.scoping import AccountRequest

WINDOW = timedelta(minutes=1)


class RecentCalls(models.Model):
    """When a user asked for a thing within the last minute, oldest first, as seconds since 1970."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    at = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="recent_calls_once_a_user"),
        ]

    def __str__(self) -> str:
        return self.name


@transaction.atomic
def seconds_to_wait(user: User, name: str, *, calls: int, now: datetime) -> int:
    """0 if the user may ask now, which is counted; else the whole seconds until then, and nothing is counted."""
    RecentCalls.objects.bulk_create([RecentCalls(user=user, name=name)], ignore_conflicts=True)
    row = RecentCalls.objects.select_for_update().get(user=user, name=name)
    recent = [at for at in row.at if at > (now - WINDOW).timestamp()]
    if len(recent) >= calls:
        again = datetime.fromtimestamp(recent[-calls], UTC) + WINDOW
        return max(1, ceil((again - now).total_seconds()))
    row.at = [*recent, now.timestamp()]
    row.save(update_fields=["at"])
    return 0


def limited(name: str, *, calls: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For an operation of the API: `calls` a minute for each user, then 429 with Retry-After."""

    def decorate(operation: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(operation)
        def wrapper(request: AccountRequest, *args: Any, **kwargs: Any) -> Any:
            wait = seconds_to_wait(request.user, name, calls=calls, now=request.now)
            if not wait:
                return operation(request, *args, **kwargs)
            words = f"At most {calls} calls a minute. Try again in {wait} s."
            return JsonResponse({"detail": words}, status=429, headers={"Retry-After": str(wait)})

        return wrapper

    return decorate
