from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from analytics.flow_quality import recalculate
from analytics.models import DigestDelivery
from flowpilot.admin import FlowAdmin
from flowpilot.models import Flow
from resolutionflow.administration.tenant import TenantAdmin
from resolutionflow.figures import counted


@admin.register(DigestDelivery)
class DigestDeliveryAdmin(TenantAdmin):
    facts = True
    list_display = ("user", "week", "requested_at", "sent_at")
    list_select_related = ("user",)
    ordering = ("-week", "user__name")


@admin.action(description="Recalculate the figures of all flows", permissions=["change"])
def recalculate_all(model_admin: TenantAdmin, request: HttpRequest, flows: QuerySet[Flow]) -> None:
    """Of the whole account, whichever are chosen: one moment for all of them."""
    done = recalculate(request.account, now=timezone.now())  # type: ignore[attr-defined]
    words = f"{counted(done.flows, 'flow')} recalculated, {len(done.changed)} changed."
    model_admin.message_user(request, words, messages.SUCCESS)


admin.site.unregister(Flow)


@admin.register(Flow)
class FlowWithFiguresAdmin(FlowAdmin):
    actions = (recalculate_all,)
