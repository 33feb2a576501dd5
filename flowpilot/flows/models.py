"""Domains, flows, their published versions, and steps as rows that survive a new version."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from flowpilot.flows.search import folded_step_texts
from resolutionflow.storable import Named
from resolutionflow.tenancy.models import TenantForeignKey, TenantModel, TenantOneToOneField


class Domain(Named, TenantModel):
    """A field of problems in an account, such as Active Directory."""

    name = models.CharField(max_length=200)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                "account",
                Lower("name"),
                name="domain_name_once_in_account",
                violation_error_message="A domain with this name exists already.",
            ),
            models.CheckConstraint(name="domain_name_given", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name


class Flow(Named, TenantModel):
    """A troubleshooting tree with a name; its structure lives in versions.

    `usage_count` (its sessions ever) and `last_matched_at` (their newest started_at) move in the transaction that
    writes the sessions. `success_rate` and `quality_score`, fractions over the last 90 days, null where nothing ended,
    are written by `recalculate_flow_quality`, which sets the other two right as well. `last_revision` is that of the
    newest draft that is gone: the next one goes on from it, so no revision ever names two states.
    """

    class Kind(models.TextChoices):
        TROUBLESHOOTING = "troubleshooting", "Troubleshooting"
        PROCEDURAL = "procedural", "Procedural"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        ARCHIVED = "archived", "Archived"

    class Origin(models.TextChoices):
        MANUAL = "manual", "Manual"
        AI_GENERATED = "ai_generated", "AI generated"
        AI_ENHANCED = "ai_enhanced", "AI enhanced"

    domain = TenantForeignKey(Domain, models.PROTECT, null=True, blank=True, related_name="flows")
    name = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.TROUBLESHOOTING)
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    origin = models.CharField(max_length=20, choices=Origin, default=Origin.MANUAL)
    current_version = TenantForeignKey(
        "flowpilot.FlowVersion", models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    usage_count = models.PositiveIntegerField(default=0, editable=False)
    last_matched_at = models.DateTimeField(null=True, blank=True, editable=False)
    success_rate = models.FloatField(null=True, blank=True, editable=False)
    quality_score = models.FloatField(null=True, blank=True, editable=False)
    quality_calculated_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_revision = models.PositiveIntegerField(default=0, editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                "account",
                Lower("name"),
                name="flow_name_once_in_account",
                condition=~Q(status="archived"),
                violation_error_message="A flow with this name exists already.",
            ),
            models.CheckConstraint(name="flow_name_given", condition=~Q(name="")),
            models.CheckConstraint(
                name="flow_kind_known", condition=Q(kind__in=["troubleshooting", "procedural"])
            ),
            models.CheckConstraint(
                name="flow_status_known", condition=Q(status__in=["draft", "published", "archived"])
            ),
            models.CheckConstraint(
                name="flow_origin_known", condition=Q(origin__in=["manual", "ai_generated", "ai_enhanced"])
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FlowDraft(TenantModel):
    """The structure that authors work on, until it is published as the next version.

    A save names the `revision` that it started from; another one is a conflict.
    """

    flow = TenantOneToOneField(Flow, models.PROTECT, related_name="draft")
    structure = models.JSONField()
    step_texts = folded_step_texts()
    revision = models.PositiveIntegerField(default=1)
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    edited_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(name="flow_draft_revision_from_one", condition=Q(revision__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.flow}, draft"


class DraftChange(TenantModel):
    """One change of a draft, for undo: what it replaced, and in words what was done.

    As JSON text the structure before was the first `same_first` characters of the one after, `before`, and the last
    `same_last`; undoing.py writes and reads this. Undo takes the newest change away and puts back what was before, as a
    further revision.
    """

    draft = TenantForeignKey(FlowDraft, models.CASCADE, related_name="changes")
    revision = models.PositiveIntegerField()  # that the change led to
    before = models.TextField()
    same_first = models.PositiveIntegerField(default=0)
    same_last = models.PositiveIntegerField(default=0)
    words = models.CharField(max_length=500)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "draft", "revision"], name="draft_change_once_a_revision"
            ),
        ]

    def __str__(self) -> str:
        return self.words


class FlowVersion(TenantModel):
    """A published structure. It never changes: sessions keep the version that they started on."""

    flow = TenantForeignKey(Flow, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    structure = models.JSONField()
    step_texts = folded_step_texts()
    published_at = models.DateTimeField(default=timezone.now)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "flow", "number"], name="flow_version_number_once"),
            models.CheckConstraint(name="flow_version_number_from_one", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.flow} v{self.number}"


class Step(TenantModel):
    """One node of a flow, kept as a row so that its ratings survive a new version.

    `helpful_yes` and `helpful_no` are kept equal to the count of its step ratings.
    """

    flow = TenantForeignKey(Flow, models.PROTECT, related_name="steps")
    node_id = models.CharField(max_length=100)
    title = models.CharField(max_length=300)
    helpful_yes = models.PositiveIntegerField(default=0, editable=False)
    helpful_no = models.PositiveIntegerField(default=0, editable=False)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "flow", "node_id"], name="step_node_once_in_flow"),
        ]

    def __str__(self) -> str:
        return self.title
