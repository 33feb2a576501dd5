"""A flow, or a change of one, that sessions suggest."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from flowpilot.flows.models import Domain, Flow
from resolutionflow.tenancy.models import TenantForeignKey, TenantModel


class FlowProposal(TenantModel):
    """What a reviewer decides on. `approved` is published as proposed, `modified` edited first.

    `evidence` is {"sessions": [ids], …}: the sessions behind it, how often each branch was taken, and once it is
    published, under "back_test", what it would have covered then; evidence.py reads it. `target_flow` is the flow that
    an enhancement changes. `confidence` is a fraction 0..1. While it is edited, `draft_flow` is the flow whose draft it
    is.
    """

    class Kind(models.TextChoices):
        NEW_FLOW = "new_flow", "New flow"
        ENHANCEMENT = "enhancement", "Enhancement"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        MODIFIED = "modified", "Edited and published"
        REJECTED = "rejected", "Rejected"
        DISMISSED = "dismissed", "Dismissed"

    kind = models.CharField(max_length=20, choices=Kind, default=Kind.NEW_FLOW)
    target_flow = TenantForeignKey(Flow, models.PROTECT, null=True, blank=True, related_name="proposals")
    domain = TenantForeignKey(Domain, models.PROTECT, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True)
    structure = models.JSONField()
    evidence = models.JSONField(default=dict)
    confidence = models.FloatField(default=0)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_note = models.TextField(blank=True)
    published_flow = TenantForeignKey(Flow, models.PROTECT, null=True, blank=True, related_name="+")
    draft_flow = TenantForeignKey(
        Flow, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                name="proposal_kind_known", condition=Q(kind__in=["new_flow", "enhancement"])
            ),
            models.CheckConstraint(
                name="proposal_status_known",
                condition=Q(status__in=["pending", "approved", "modified", "rejected", "dismissed"]),
            ),
            models.CheckConstraint(
                name="proposal_enhances_a_flow",
                condition=Q(kind="new_flow", target_flow__isnull=True)
                | Q(kind="enhancement", target_flow__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_reviewed_once_decided",
                condition=Q(status="pending", reviewed_at__isnull=True)
                | Q(~Q(status="pending"), reviewed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_confidence_is_a_share",
                condition=Q(confidence__gte=0, confidence__lte=1),
            ),
            models.CheckConstraint(
                name="proposal_enhancement_is_edited_first",
                condition=~Q(kind="enhancement", status="approved"),
            ),
            models.CheckConstraint(
                name="proposal_draft_only_while_pending",
                condition=Q(draft_flow__isnull=True) | Q(status="pending"),
            ),
            models.UniqueConstraint(fields=["account", "draft_flow"], name="proposal_draft_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "status", "created_at"], name="proposal_queue"),
            models.Index(fields=["account", "reviewed_at"], name="proposal_by_review"),
            models.Index(fields=["account", "published_flow"], name="proposal_by_flow"),
        ]

    def __str__(self) -> str:
        return self.title
