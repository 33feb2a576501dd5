"""What reached the ticket system."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from flowpilot.sessions.models import Session
from resolutionflow.tenancy.models import TenantForeignKey, TenantModel


class PsaActivityLog(TenantModel):
    """One time entry, note or status that the ticket system holds."""

    class ActivityType(models.TextChoices):
        TIME_ENTRY_POSTED = "time_entry_posted", "Time entry posted"
        NOTE_POSTED = "note_posted", "Note posted"
        STATUS_UPDATED = "status_updated", "Status updated"

    session = TenantForeignKey(Session, models.PROTECT, null=True, blank=True, related_name="psa_activity")
    activity_type = models.CharField(max_length=30, choices=ActivityType)
    hours_logged = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    psa_ticket_id = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    external_key = models.CharField(max_length=260, null=True, blank=True)  # noqa: DJ001 - null: not imported

    class Meta(TenantModel.Meta):
        verbose_name = verbose_name_plural = "PSA activity"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "external_key"], name="psa_activity_external_key_once"
            ),
            models.CheckConstraint(
                name="psa_activity_type_known",
                condition=Q(activity_type__in=["time_entry_posted", "note_posted", "status_updated"]),
            ),
            models.CheckConstraint(
                name="psa_activity_hours_of_time_entries",
                condition=Q(hours_logged__isnull=True)
                | Q(activity_type="time_entry_posted", hours_logged__gt=0),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "created_at"], name="psa_activity_by_time"),
            models.Index(fields=["account", "session"], name="psa_activity_by_session"),
        ]

    def __str__(self) -> str:
        return self.get_activity_type_display()
