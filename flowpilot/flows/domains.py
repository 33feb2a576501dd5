"""Domains by name."""

from django.db.models import Value
from django.db.models.functions import Lower

from flowpilot.flows.models import Domain


def domain_named(name: str) -> Domain:
    """The account's domain of this name, whatever its capitals; made if there is none."""
    same = Domain.objects.annotate(lower=Lower("name")).filter(lower=Lower(Value(name)))
    found: Domain | None = same.first()
    if found is None:
        Domain.objects.bulk_create([Domain(name=name)], ignore_conflicts=True)  # somebody may be quicker
        found = same.get()
    return found
