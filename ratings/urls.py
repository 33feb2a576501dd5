"""Below /sessions/, for a rating is one of a session."""

from django.urls import path

from ratings import views

app_name = "ratings"
urlpatterns = [
    path("<uuid:session_id>/steps/<uuid:step_id>/thumb/", views.thumb, name="thumb"),
    path("<uuid:session_id>/rating/", views.csat, name="csat"),
    path("<uuid:session_id>/rating/ask/", views.ask, name="ask"),
]
