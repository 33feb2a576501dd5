from django.urls import path

from analytics import sheet, views
from analytics.exports import views as exports

app_name = "analytics"
urlpatterns = [
    path("", views.team_page, name="team"),
    path("panels/<slug:panel>/", views.team_panel, name="team-panel"),
    path("panels/<slug:panel>.<slug:format>", views.team_export, name="team-export"),
    path("sheet/", sheet.sheet, name="sheet"),
    path("sessions.<slug:format>", exports.sessions_export, name="sessions-export"),
    path("me/", views.my_page, name="me"),
    path("me/panels/<slug:panel>/", views.my_panel, name="me-panel"),
    path("me/panels/<slug:panel>.<slug:format>", views.my_export, name="me-export"),
]
