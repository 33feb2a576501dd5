from django.contrib import admin

from analytics.models import DigestDelivery
from resolutionflow.administration.tenant import TenantAdmin


@admin.register(DigestDelivery)
class DigestDeliveryAdmin(TenantAdmin):
    facts = True
    list_display = ("user", "week", "requested_at", "sent_at")
    list_select_related = ("user",)
    ordering = ("-week", "user__name")
