"""Which digests were made, so that nobody gets one twice."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from resolutionflow.tenancy.models import OwnerForeignKey, TenantModel


class DigestDelivery(TenantModel):
    """One digest to one person. `week` is the Monday on which it is due; `requested_at` is set where somebody asked
    for one at once. It exists before its mail, and `sent_at` tells whether that went out."""

    user = OwnerForeignKey()
    week = models.DateField()
    requested_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "digest deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "user", "week"],
                condition=Q(requested_at__isnull=True),
                name="digest_once_a_week",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "user", "requested_at"], name="digest_requests")]

    def __str__(self) -> str:
        return f"{self.week} to {self.user}"
