"""The time zones an account may have: those that both zoneinfo and PostgreSQL know."""

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import connection


@cache
def time_zones() -> frozenset[str]:
    """Their IANA names."""
    with connection.cursor() as cursor:
        cursor.execute("select name from pg_timezone_names where name not like 'posix%%'")
        known = available_timezones() & {name for (name,) in cursor.fetchall()}
        return frozenset(known - {"Factory", "localtime"})  # which stand for no place


def offered_zones() -> list[str]:
    """Those that people live in, to choose from."""
    return ["UTC", *sorted(zone for zone in time_zones() if "/" in zone and not zone.startswith("Etc/"))]


def validate_time_zone(name: str) -> None:
    if name not in time_zones():
        raise ValidationError(f"“{name}” is no known time zone. Use an IANA name such as Europe/London.")
