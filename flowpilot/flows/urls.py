from django.urls import URLPattern, URLResolver, include, path

app_name = "flows"
urlpatterns: list[URLPattern | URLResolver] = [
    path("<uuid:flow_id>/edit/", include("flowpilot.flows.editor.urls")),
]
