from django.contrib import admin

from flowpilot.models import (
    Client,
    Domain,
    DraftChange,
    Flow,
    FlowDraft,
    FlowProposal,
    FlowVersion,
    PsaActivityLog,
    PsaConnection,
    PsaMember,
    PsaPush,
    PsaPushAttempt,
    Session,
    Step,
)
from resolutionflow.administration.tenant import TenantAdmin


@admin.register(Client)
class ClientAdmin(TenantAdmin):
    list_display = ("name", "psa_company_id")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(Domain)
class DomainAdmin(TenantAdmin):
    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(Flow)
class FlowAdmin(TenantAdmin):
    list_display = ("name", "domain", "status", "origin", "usage_count", "last_matched_at")
    list_filter = ("status", "origin", "domain")
    list_select_related = ("domain",)
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = (
        *("status", "origin", "usage_count", "last_matched_at"),
        *("success_rate", "quality_score", "quality_calculated_at"),
    )
    fields = ("name", "description", "domain", "kind", *readonly_fields)


@admin.register(FlowDraft)
class FlowDraftAdmin(TenantAdmin):
    facts = True
    list_display = ("flow", "revision", "edited_at", "edited_by")
    list_select_related = ("flow", "edited_by")
    ordering = ("flow__name",)


@admin.register(DraftChange)
class DraftChangeAdmin(TenantAdmin):
    facts = True
    fields = ("draft", "revision", "words", "made_by", "made_at")
    list_display = ("words", "draft", "revision", "made_at", "made_by")
    list_select_related = ("draft__flow", "made_by")


@admin.register(FlowVersion)
class FlowVersionAdmin(TenantAdmin):
    facts = True
    list_display = ("flow", "number", "published_at", "published_by")
    list_select_related = ("flow", "published_by")
    ordering = ("flow__name", "number")


@admin.register(Step)
class StepAdmin(TenantAdmin):
    facts = True
    list_display = ("title", "flow", "node_id", "helpful_yes", "helpful_no")
    list_select_related = ("flow",)
    search_fields = ("title", "flow__name")


@admin.register(Session)
class SessionAdmin(TenantAdmin):
    facts = True
    list_display = ("problem_summary", "user", "client", "flow", "status", "outcome", "started_at")
    list_filter = ("status", "outcome", "confidence_tier", "source")
    list_select_related = ("user", "client", "flow")
    search_fields = ("problem_summary", "external_id", "psa_ticket_id")
    date_hierarchy = "started_at"
    ordering = ("-started_at", "-id")


@admin.register(PsaActivityLog)
class PsaActivityLogAdmin(TenantAdmin):
    facts = True
    list_display = ("activity_type", "psa_ticket_id", "hours_logged", "created_at")
    list_filter = ("activity_type",)
    date_hierarchy = "created_at"


@admin.register(FlowProposal)
class FlowProposalAdmin(TenantAdmin):
    facts = True
    list_display = ("title", "kind", "domain", "status", "confidence", "created_at")
    list_filter = ("status", "kind")
    list_select_related = ("domain",)
    date_hierarchy = "created_at"


@admin.register(PsaConnection)
class PsaConnectionAdmin(TenantAdmin):
    """Without the credentials, sealed or not: nobody reads or writes them here."""

    facts = True
    fields = (
        "provider",
        "base_url",
        "defaults",
        "note_template",
        "active",
        "held_until",
        "held_reason",
        "created_at",
    )
    list_display = ("provider", "base_url", "active", "held_reason", "held_until", "created_at")


@admin.register(PsaMember)
class PsaMemberAdmin(TenantAdmin):
    facts = True
    list_display = ("user", "connection", "external_id", "login", "work_role", "location")
    list_select_related = ("user", "connection")


@admin.register(PsaPush)
class PsaPushAdmin(TenantAdmin):
    facts = True
    list_display = ("kind", "psa_ticket_id", "status", "retry_count", "created_at", "finished_at")
    list_filter = ("status", "kind")
    date_hierarchy = "created_at"


@admin.register(PsaPushAttempt)
class PsaPushAttemptAdmin(TenantAdmin):
    facts = True
    list_display = ("push", "at", "sent", "http_status", "code")
    list_filter = ("sent",)
    list_select_related = ("push",)
    date_hierarchy = "at"
