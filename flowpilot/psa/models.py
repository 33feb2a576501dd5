"""The connection to the ticket system, what is to reach it, and what did."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.utils import timezone

from flowpilot.psa.providers.base import WireRequest
from flowpilot.psa.providers.markers import new_marker
from flowpilot.psa.states import FINISHED, MOST_TRIES, UNFINISHED, WAITING, Hold, State
from flowpilot.sessions.models import Session
from resolutionflow.tenancy.models import (
    OwnerForeignKey,
    TenantForeignKey,
    TenantManager,
    TenantModel,
    TenantOneToOneField,
    TenantQuerySet,
)

SYSTEM_LENGTH = 900


class PsaConnection(TenantModel):
    """The account's way into its ticket system: one for each provider.

    `system` says which ticket system of which company it leads to (`providers.system_of`); a push that was made for
    another one is never sent over it.
    `credentials` are sealed (`sealing`), written only, and shown nowhere. `defaults` are what a push takes where
    nothing else is said: {"visibility", "work_type", "work_role", "location", "billing", "status"}, all optional.
    While `held_until` is ahead nothing is sent; the reason stays until the ticket system has answered well again.
    """

    class Provider(models.TextChoices):
        CONNECTWISE = "connectwise", "ConnectWise PSA"
        HALOPSA = "halopsa", "HaloPSA"

    provider = models.CharField(max_length=20, choices=Provider)
    base_url = models.CharField(max_length=300)
    system = models.CharField(max_length=SYSTEM_LENGTH, editable=False)
    credentials = models.TextField(blank=True, default="", db_default="", editable=False)
    defaults = models.JSONField(default=dict, db_default=Value({}, models.JSONField()), blank=True)
    note_template = models.TextField(blank=True, default="", db_default="")
    active = models.BooleanField(default=True)
    held_until = models.DateTimeField(null=True, blank=True, editable=False)
    held_reason = models.CharField(
        max_length=20, choices=Hold, blank=True, default="", db_default="", editable=False
    )
    held_message = models.TextField(blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "PSA connection"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "provider"], name="psa_connection_once_a_provider"),
            models.CheckConstraint(
                name="psa_connection_provider_known", condition=Q(provider__in=["connectwise", "halopsa"])
            ),
            models.CheckConstraint(name="psa_connection_leads_somewhere", condition=~Q(system="")),
            models.CheckConstraint(
                name="psa_connection_held_for_a_reason",
                condition=Q(held_until__isnull=True, held_reason="")
                | Q(held_until__isnull=False, held_reason__in=Hold.values),
            ),
        ]

    def __str__(self) -> str:
        return self.get_provider_display()

    def is_held(self, now: datetime) -> bool:
        return self.held_until is not None and self.held_until > now


class PsaMember(TenantModel):
    """Who an engineer is in the ticket system, and how their time is entered there.

    `external_id` is the ticket system's ref of the member, `login` what people know it by.
    """

    connection = TenantForeignKey(PsaConnection, models.PROTECT, related_name="members")
    user = OwnerForeignKey(verbose_name="engineer")
    external_id = models.CharField(max_length=100)
    login = models.CharField(max_length=200, blank=True)
    work_role = models.CharField(max_length=100, blank=True)
    location = models.CharField(max_length=100, blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = "PSA member"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "connection", "user"], name="psa_member_once_a_connection"
            ),
            models.CheckConstraint(name="psa_member_is_named", condition=~Q(external_id="")),
        ]

    def __str__(self) -> str:
        return self.login or self.external_id


# All that can want a person, in the words of the index psa_push_open: it finds the few among all that ever arrived.
OPEN = ~Q(status=State.SUCCESS) | ~Q(doubles=[])


class PsaPushQuerySet(TenantQuerySet):
    def superseded(self) -> Self:
        """Those in whose place a later revision stands."""
        return self.filter(_later_revision())

    def standing(self) -> Self:
        return self.exclude(_later_revision())

    def wanting_a_person(self) -> Self:
        """What a banner counts: not delivered, neither replaced by another revision nor dismissed; a status that waits
        behind such a one; or there more than once."""
        refused = Q(status=State.NEEDS_ATTENTION, dismissed_at=None) & ~_later_revision()
        return self.filter(OPEN, refused | _is_stuck() | ~Q(doubles=[]))

    def undelivered(self) -> Self:
        """What has neither arrived nor is given up: what a status of the same ticket waits for."""
        return self.exclude(status=State.SUCCESS).filter(dismissed_at=None).standing()

    def stuck(self) -> Self:
        """Statuses that wait for ever unless a person decides: what they wait for needs attention."""
        return self.filter(_is_stuck())

    def of_its_system(self) -> Self:
        """Those whose connection still leads to the ticket system that they were made for."""
        return self.filter(system=F("connection__system"))

    def doubled(self) -> Self:
        """Those of which the sweep found more than one in the ticket system."""
        return self.exclude(doubles=[])


def _later_revision() -> Exists:
    """Whether the session has a push of a higher revision, of the same kind or for another ticket."""
    later = PsaPush.objects.filter(
        ~Q(psa_ticket_id=OuterRef("psa_ticket_id")) | Q(kind=OuterRef("kind")),
        account=OuterRef("account"),
        connection=OuterRef("connection"),
        session=OuterRef("session"),
        revision__gt=OuterRef("revision"),
    )
    return Exists(later)


def _is_stuck() -> Q:
    refused = PsaPush.objects.filter(
        account=OuterRef("account"),
        connection=OuterRef("connection"),
        session=OuterRef("session"),
        psa_ticket_id=OuterRef("psa_ticket_id"),
        status=State.NEEDS_ATTENTION,
    ).exclude(kind=PsaPush.Kind.STATUS)
    waits = Q(kind=PsaPush.Kind.STATUS, status__in=WAITING, goes_anyway=False)
    return waits & ~_later_revision() & Exists(refused.undelivered())


class PsaPushManager(TenantManager.from_queryset(PsaPushQuerySet)):  # type: ignore[misc]
    pass


class PsaPush(TenantModel):
    """One delivery to the ticket system: a note, a time entry or a status of a session.

    It is finished once it succeeded or needs a person's attention. How it moves from one status to the next is written
    in `states` alone.

    `system` is the connection's when it was made: only there its ticket is the one that was meant. `payload` is the
    `WireRequest` as JSON, frozen: an edited text is a new revision. `watermark` is what `find` begins behind, null
    until just before the first byte, as is `first_sent_at`. `hours` are a time entry's, `status_ref` is the status to
    be set. A worker holds it until `lease_until`; of one ticket at most one is held. `tries` are the sends that count,
    `retry_count` those after the first, `most_tries` when it is left to a person. `uncertain_at`: when it was first not
    known whether it arrived, so that each further send follows a look-up; `parks_when_absent`: not to be sent again if
    that finds nothing; `lookups`: how many failed in a row. `goes_anyway`: a person said that a status does not wait
    for what belongs to it and needs attention. `last_code` and `last_error` are of the newest trouble, the code a class
    of `providers.errors`. `external_url` is where people open its ticket. `adopted`: found by a look-up, not told by
    the answer. `sweep_at`: when to look for doubles, which are `doubles`, [{"external_id", "url"}], without the one
    kept. `dismissed_at`: a person said that it is not needed any more, `dismissed_note` why; it needs attention no
    longer, and counts as one that did not arrive. `dismissed_by` is null where that person's account was deleted.
    """

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        TIME_ENTRY = "time_entry", "Time entry"
        STATUS = "status", "Status"

    Status = State
    FINISHED: ClassVar = FINISHED

    connection = TenantForeignKey(PsaConnection, models.PROTECT, related_name="pushes")
    session = TenantForeignKey(Session, models.PROTECT, related_name="pushes")
    system = models.CharField(max_length=SYSTEM_LENGTH, editable=False)
    psa_ticket_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind)
    revision = models.PositiveIntegerField(default=1)
    part = models.PositiveIntegerField(default=1)
    marker = models.CharField(max_length=40, default=new_marker)
    payload = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    payload_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="")
    hours = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    status_ref = models.CharField(max_length=100, blank=True, default="", db_default="")
    watermark = models.JSONField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=State, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0, db_default=0)
    retry_count = models.PositiveIntegerField(default=0)
    most_tries = models.PositiveIntegerField(default=MOST_TRIES, db_default=MOST_TRIES)
    lookups = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    first_sent_at = models.DateTimeField(null=True, blank=True)
    uncertain_at = models.DateTimeField(null=True, blank=True)
    parks_when_absent = models.BooleanField(default=False, db_default=False)
    goes_anyway = models.BooleanField(default=False, db_default=False)
    last_code = models.CharField(max_length=100, blank=True, default="", db_default="")
    last_error = models.TextField(blank=True, default="", db_default="")
    external_id = models.CharField(max_length=100, blank=True, default="", db_default="")
    external_url = models.CharField(max_length=500, blank=True, default="", db_default="")
    adopted = models.BooleanField(default=False, db_default=False)
    sweep_at = models.DateTimeField(null=True, blank=True)
    doubles = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    dismissed_note = models.CharField(max_length=500, blank=True, default="", db_default="")

    objects: ClassVar = PsaPushManager()

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
            models.UniqueConstraint(fields=["account", "marker"], name="psa_push_marker_once"),
            models.UniqueConstraint(
                fields=["account", "connection", "psa_ticket_id"],
                name="psa_push_one_sender_a_ticket",
                condition=Q(lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="psa_push_held_while_it_is_sent",
                condition=Q(status="sending", lease_until__isnull=False, first_sent_at__isnull=False)
                | Q(status__in=["pending", "uncertain", "retry_wait"])
                | Q(status__in=["success", "needs_attention"], lease_until__isnull=True),
            ),
            models.CheckConstraint(
                name="psa_push_waits_until",
                condition=Q(status__in=["pending", "uncertain", "retry_wait"], next_attempt_at__isnull=False)
                | Q(status__in=["sending", "success", "needs_attention"], next_attempt_at__isnull=True),
            ),
            models.CheckConstraint(
                name="psa_push_looked_up_before_it_is_sent_again",
                condition=Q(uncertain_at__isnull=True)
                | Q(lease_until__isnull=False)
                | Q(status__in=["uncertain", "success", "needs_attention"]),
                violation_error_message="What may have arrived is looked up before it is sent again.",
            ),
            models.CheckConstraint(
                name="psa_push_hours_of_time_entries",
                condition=Q(hours__isnull=True) | Q(kind="time_entry", hours__gt=0),
            ),
            models.CheckConstraint(name="psa_push_is_for_a_system", condition=~Q(system="")),
            models.CheckConstraint(
                name="psa_push_dismissed_is_finished",
                condition=Q(dismissed_at__isnull=True, dismissed_by__isnull=True, dismissed_note="")
                | Q(dismissed_at__isnull=False, status="needs_attention"),
            ),
            models.CheckConstraint(
                name="psa_push_goes_anyway_as_a_status",
                condition=Q(goes_anyway=False) | Q(kind="status"),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["account", "connection", "next_attempt_at"],
                name="psa_push_to_claim",
                condition=Q(status__in=UNFINISHED),
            ),
            models.Index(
                fields=["account", "lease_until"],
                name="psa_push_by_lease",
                condition=Q(lease_until__isnull=False),
            ),
            models.Index(
                fields=["account", "sweep_at"], name="psa_push_to_sweep", condition=Q(sweep_at__isnull=False)
            ),
            models.Index(fields=["account", "connection"], name="psa_push_open", condition=OPEN),
            models.Index(fields=["account", "created_at", "session"], name="psa_push_by_creation"),
            models.Index(fields=["account", "status", "created_at"], name="psa_push_by_state"),
            models.Index(fields=["account", "finished_at"], name="psa_push_by_end"),
            models.Index(fields=["account", "session"], name="psa_push_by_session"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.psa_ticket_id}"

    @property
    def wire(self) -> WireRequest:
        return WireRequest.from_json(self.payload)


class PsaPushAttempt(TenantModel):
    """One send of a push, and what came of it. `message` is the ticket system's and may quote what was sent."""

    class Sent(models.TextChoices):
        NOT_SENT = "not_sent", "Not sent"
        REJECTED = "rejected", "Rejected"
        UNKNOWN = "unknown", "Unknown"
        OK = "ok", "Delivered"

    push = TenantForeignKey(PsaPush, models.PROTECT, related_name="attempts")
    at = models.DateTimeField()
    sent = models.CharField(max_length=20, choices=Sent)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=100, blank=True)
    message = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        verbose_name = "PSA push attempt"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="psa_attempt_sent_known", condition=Q(sent__in=["not_sent", "rejected", "unknown", "ok"])
            )
        ]
        indexes: ClassVar = [models.Index(fields=["account", "push", "at"], name="psa_attempt_by_push")]

    def __str__(self) -> str:
        return self.get_sent_display()


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
