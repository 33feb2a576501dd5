"""The connection to the ticket system, what is to reach it, and what did."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from flowpilot.sessions.models import Session
from resolutionflow.tenancy.models import TenantForeignKey, TenantModel, TenantOneToOneField


class PsaConnection(TenantModel):
    """The account's way into its ticket system: one for each provider."""

    class Provider(models.TextChoices):
        CONNECTWISE = "connectwise", "ConnectWise PSA"
        HALOPSA = "halopsa", "HaloPSA"

    provider = models.CharField(max_length=20, choices=Provider)
    base_url = models.CharField(max_length=300)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "PSA connection"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "provider"], name="psa_connection_once_a_provider"),
            models.CheckConstraint(
                name="psa_connection_provider_known", condition=Q(provider__in=["connectwise", "halopsa"])
            ),
        ]

    def __str__(self) -> str:
        return self.get_provider_display()


class PsaPush(TenantModel):
    """One delivery to the ticket system: a note, a time entry or a status of a session.

    It is finished once it succeeded or needs a person's attention; `retry_count` is how often it was tried again.
    """

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        TIME_ENTRY = "time_entry", "Time entry"
        STATUS = "status", "Status"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        SENDING = "sending", "Sending"
        UNCERTAIN = "uncertain", "Uncertain"
        RETRY_WAIT = "retry_wait", "Waiting to retry"
        SUCCESS = "success", "Delivered"
        NEEDS_ATTENTION = "needs_attention", "Needs attention"

    FINISHED: ClassVar = (Status.SUCCESS, Status.NEEDS_ATTENTION)

    connection = TenantForeignKey(PsaConnection, models.PROTECT, related_name="pushes")
    session = TenantForeignKey(Session, models.PROTECT, related_name="pushes")
    psa_ticket_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind)
    revision = models.PositiveIntegerField(default=1)
    part = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    retry_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name, verbose_name_plural = "PSA push", "PSA pushes"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "connection", "session", "kind", "revision", "part"],
                name="psa_push_once_a_revision",
            ),
            models.CheckConstraint(
                name="psa_push_kind_known", condition=Q(kind__in=["note", "time_entry", "status"])
            ),
            models.CheckConstraint(
                name="psa_push_finished_when_it_is",
                condition=Q(status__in=["success", "needs_attention"], finished_at__isnull=False)
                | Q(status__in=["pending", "sending", "uncertain", "retry_wait"], finished_at__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "finished_at"], name="psa_push_by_end"),
            models.Index(fields=["account", "session"], name="psa_push_by_session"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.psa_ticket_id}"


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
    push = TenantOneToOneField(PsaPush, models.PROTECT, null=True, blank=True, related_name="activity")
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
