from django.urls import path

from analytics import views

app_name = "analytics"
urlpatterns = [
    path("", views.team_page, name="team"),
    path("panels/<slug:panel>/", views.team_panel, name="team-panel"),
]
