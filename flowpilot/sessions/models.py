"""One engineer working one problem."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact
from django.utils import timezone

from flowpilot.clients.models import Client
from flowpilot.flows.models import Domain, Flow, FlowVersion
from flowpilot.metrics import UNGUIDED, SessionQuerySet
from flowpilot.sessions.states import OUTCOMES_OF_STATUS, Outcome, Source, Status, Tier
from resolutionflow.tenancy.models import (
    OwnerForeignKey,
    TenantForeignKey,
    TenantManager,
    TenantModel,
)


def _status_table() -> Q:
    table = Q()
    for status, outcomes in OUTCOMES_OF_STATUS.items():
        row = Q(status=status.value)
        if outcomes:
            # the explicit NOT NULL counts: a CHECK that comes out NULL would pass
            row &= Q(
                outcome__isnull=False, outcome__in=[o.value for o in outcomes], completed_at__isnull=False
            )
        else:
            row &= Q(outcome__isnull=True, completed_at__isnull=True)
        table |= row
    return table


class SessionManager(TenantManager.from_queryset(SessionQuerySet)):  # type: ignore[misc]
    pass


class Session(TenantModel):
    """One engineer working one problem, with or without a flow.

    `decisions` is a list of {"id", "node_id" | null, "title", "answer", "note", "at", "undone_at" | null,
    "taken_over": bool}; an answer of a colleague also has "by", a user's id, and the one that left the flow
    "left_flow", the tier before. `step_count` counts those neither taken back nor taken over. `duration_seconds` is
    whole seconds from start to end, null while open. `script_values` are the blanks of scripts as the engineer filled
    them in, {name: text}; of a blank marked secret nothing is kept. A session that follows another one, reopened or
    taken over, has it as `previous_session`.
    """

    user = OwnerForeignKey(verbose_name="engineer")
    client = TenantForeignKey(Client, models.PROTECT, null=True, blank=True, related_name="+")
    flow = TenantForeignKey(Flow, models.PROTECT, null=True, blank=True, related_name="+")
    flow_version = TenantForeignKey(FlowVersion, models.PROTECT, null=True, blank=True, related_name="+")
    domain = TenantForeignKey(Domain, models.PROTECT, null=True, blank=True, related_name="+")
    previous_session = TenantForeignKey(
        "flowpilot.Session", models.PROTECT, null=True, blank=True, related_name="next_sessions"
    )
    problem_summary = models.CharField(max_length=500)
    problem_description = models.TextField(blank=True, default="", db_default="")
    confidence_tier = models.CharField(max_length=20, choices=Tier, null=True, blank=True)  # noqa: DJ001
    confidence = models.FloatField(null=True, blank=True)
    status = models.CharField(max_length=30, choices=Status, default=Status.ACTIVE)
    outcome = models.CharField(max_length=20, choices=Outcome, null=True, blank=True)  # noqa: DJ001
    started_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(default=timezone.now)
    duration_seconds = models.GeneratedField(
        expression=Func(
            F("completed_at"),
            F("started_at"),
            template="floor(extract(epoch from %(expressions)s))::integer",
            arg_joiner=" - ",
        ),
        output_field=models.IntegerField(null=True),
        db_persist=True,
    )
    decisions = models.JSONField(default=list)
    step_count = models.PositiveIntegerField(default=0)
    script_values = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    psa_ticket_id = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 - null: no ticket
    resolution_summary = models.TextField(blank=True, default="", db_default="")
    escalation_reason = models.TextField(blank=True, default="", db_default="")
    source = models.CharField(max_length=10, choices=Source, default=Source.APP)
    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - null: not from outside
    csat_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    analysed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar = SessionManager()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "external_id"], name="session_external_id_once"),
            models.CheckConstraint(name="session_status_table", condition=_status_table()),
            models.CheckConstraint(
                name="session_ends_after_start",
                condition=Q(completed_at__isnull=True) | Q(completed_at__gte=F("started_at")),
            ),
            models.CheckConstraint(
                name="session_tier_known",
                condition=Q(confidence_tier__isnull=True) | Q(confidence_tier__in=Tier.values),
            ),
            models.CheckConstraint(
                name="session_confidence_is_a_share",
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
            ),
            models.CheckConstraint(
                name="session_decisions_are_a_list",
                condition=Q(
                    Exact(
                        Func(F("decisions"), function="jsonb_typeof", output_field=models.TextField()),
                        "array",
                    )
                ),
            ),
            models.CheckConstraint(name="session_source_known", condition=Q(source__in=Source.values)),
        ]
        indexes: ClassVar = [
            # One pass over this index answers a panel: nothing is read from the table itself.
            models.Index(
                fields=["account", "started_at"],
                name="session_figures",
                include=[
                    "duration_seconds",
                    "completed_at",
                    "status",
                    "outcome",
                    "user",
                    "flow",
                    "domain",
                    "client",
                    "confidence_tier",
                    "step_count",
                    "id",
                ],
            ),
            models.Index(fields=["account", "user", "started_at"], name="session_by_user"),
            models.Index(fields=["account", "flow", "started_at"], name="session_by_flow"),
            models.Index(fields=["account", "completed_at"], name="session_by_end"),
            # What engineers did without a guide, the newest first: where known steps come from.
            models.Index(
                fields=["account", "domain", "completed_at"],
                name="session_own_steps",
                condition=Q(status=Status.RESOLVED, confidence_tier__in=[Tier.EXPLORING, Tier.DISCOVERY]),
            ),
            # Who goes on with a session: asked by its page, and by its key for each session that is deleted.
            models.Index(
                fields=["account", "previous_session"],
                name="session_that_follows",
                condition=Q(previous_session__isnull=False),
            ),
            # The few that are open: Help wanted, one's own open sessions, and which of them lie idle.
            models.Index(
                fields=["account", "status", "last_activity_at"],
                name="session_open",
                condition=Q(status__in=[Status.ACTIVE, Status.REQUESTING_ESCALATION]),
            ),
            # What the analysis has not read yet: few, however many sessions there are.
            models.Index(
                fields=["account", "completed_at", "id"],
                name="session_to_analyse",
                condition=Q(UNGUIDED, status=Status.RESOLVED, analysed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.problem_summary or self.external_id or str(self.id)
