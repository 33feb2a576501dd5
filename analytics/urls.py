from django.urls import path

from analytics import sheet, views
from analytics.exports import views as exports
from flowpilot.clients_and_domains.kinds import CLIENTS, DOMAINS

app_name = "analytics"
urlpatterns = [
    path("", views.team_page, name="team"),
    path("panels/<slug:panel>/", views.team_panel, name="team-panel"),
    path("panels/<slug:panel>.<slug:format>", views.team_export, name="team-export"),
    path("sheet/", sheet.sheet, name="sheet"),
    path("sessions.<slug:format>", exports.sessions_export, name="sessions-export"),
    path("psa/pushes.<slug:format>", exports.pushes_export, name="pushes-export"),
    path("psa/without-time.<slug:format>", exports.without_time_export, name="without-time-export"),
    path("settings/users.<slug:format>", exports.users_export, name="users-export"),
    *(
        path(
            f"settings/{kind.plural}.<slug:format>",
            exports.entries_export,
            {"kind": kind},
            name=f"{kind.plural}-export",
        )
        for kind in (CLIENTS, DOMAINS)
    ),
    path("me/", views.my_page, name="me"),
    path("me/panels/<slug:panel>/", views.my_panel, name="me-panel"),
    path("me/panels/<slug:panel>.<slug:format>", views.my_export, name="me-export"),
    path("flows/<uuid:flow_id>/", views.flow_page, name="flow"),
    path("flows/<uuid:flow_id>/panels/<slug:panel>/", views.flow_panel, name="flow-panel"),
    path("flows/<uuid:flow_id>/panels/<slug:panel>.<slug:format>", views.flow_export, name="flow-export"),
    path("flowpilot/", views.flowpilot_page, name="flowpilot"),
    path("flowpilot/<slug:tab>/panels/<slug:panel>/", views.flowpilot_panel, name="flowpilot-panel"),
    path(
        "flowpilot/<slug:tab>/panels/<slug:panel>.<slug:format>",
        views.flowpilot_export,
        name="flowpilot-export",
    ),
]
