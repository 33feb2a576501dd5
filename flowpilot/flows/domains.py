"""Domains by name."""

from django.db.models import Value
from django.db.models.functions import Lower

from flowpilot.flows.models import Domain


def known_domain(name: str) -> Domain | None:
    """The account's domain of this name, compared as its unique key does: whatever its capitals."""
    same: Domain | None = (
        Domain.objects.annotate(lower=Lower("name")).filter(lower=Lower(Value(name))).first()
    )
    return same


def domain_named(name: str) -> Domain:
    """As `known_domain`; made if there is none."""
    found = known_domain(name)
    if found is None:
        Domain.objects.bulk_create([Domain(name=name)], ignore_conflicts=True)  # somebody may be quicker
        found = known_domain(name)
        assert found  # noqa: S101 - made just now, by whomever
    return found
