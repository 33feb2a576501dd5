from django.urls import path

from flowpilot.flows.editor import draft_views, views

urlpatterns = [
    path("", views.edit, name="edit"),
    path("change/", views.change, name="edit-change"),
    path("undo/", views.undo, name="edit-undo"),
    path("merge/", views.merge, name="edit-merge"),
    path("ask/<slug:what>/", views.ask, name="edit-ask"),
    path("flow/", draft_views.flow_data, name="edit-flow"),
    path("publish/", draft_views.publish, name="edit-publish"),
    path("discard/", draft_views.discard, name="edit-discard"),
    path("preview/", draft_views.preview, name="edit-preview"),
]
