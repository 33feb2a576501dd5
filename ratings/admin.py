"""Thumbs in the back office. Session ratings are not there: stars and comments are shown to their giver only."""

from django.contrib import admin

from ratings.models import StepRating
from resolutionflow.administration.tenant import TenantAdmin


@admin.register(StepRating)
class StepRatingAdmin(TenantAdmin):
    facts = True
    fields = ("step", "session", "was_helpful", "reasons", "created_at", "updated_at")
    list_display = ("step", "was_helpful", "created_at")
    list_filter = ("was_helpful",)
    list_select_related = ("step",)
