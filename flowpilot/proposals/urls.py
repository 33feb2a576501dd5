from django.urls import path

from flowpilot.proposals import acts, views

app_name = "proposals"
urlpatterns = [
    path("", views.proposal_list, name="list"),
    path("<uuid:proposal_id>/", views.proposal_detail, name="detail"),
    path("<uuid:proposal_id>/approve/", acts.approve, name="approve"),
    path("<uuid:proposal_id>/edit/", acts.edit, name="edit"),
    path("<uuid:proposal_id>/reject/", acts.reject, name="reject"),
    path("<uuid:proposal_id>/dismiss/", acts.dismiss, name="dismiss"),
]
