from django.urls import path

from flowpilot.flows.editor import views

urlpatterns = [
    path("", views.edit, name="edit"),
    path("change/", views.change, name="edit-change"),
    path("undo/", views.undo, name="edit-undo"),
    path("merge/", views.merge, name="edit-merge"),
    path("ask/<slug:what>/", views.ask, name="edit-ask"),
    path("flow/", views.flow_data, name="edit-flow"),
    path("publish/", views.publish, name="edit-publish"),
    path("discard/", views.discard, name="edit-discard"),
    path("preview/", views.preview, name="edit-preview"),
]
