from django.urls import URLPattern, URLResolver, include, path

from flowpilot.flows import flow_page, import_page, library_views

app_name = "flows"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", library_views.flow_list, name="list"),
    path("new/", library_views.new_flow, name="new"),
    path("starter/", library_views.starter, name="starter"),
    path("starter/<slug:slug>/", library_views.starter_flow, name="starter-flow"),
    path("import/", import_page.import_flow, name="import"),
    path("<uuid:flow_id>/", flow_page.detail, name="detail"),
    path("<uuid:flow_id>/versions/<int:number>/", flow_page.version, name="version"),
    path("<uuid:flow_id>/compare/", flow_page.compare, name="compare"),
    path("<uuid:flow_id>/export.<slug:format>", flow_page.export, name="export"),
    path("<uuid:flow_id>/archive/", flow_page.archive, name="archive"),
    path("<uuid:flow_id>/restore/", flow_page.restore, name="restore"),
    path("<uuid:flow_id>/edit/", include("flowpilot.flows.editor.urls")),
]
