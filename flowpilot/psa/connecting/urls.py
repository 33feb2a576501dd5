from django.urls import path

from flowpilot.psa.connecting import mapping, views

app_name = "psa"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("<slug:provider>/", views.connection, name="connection"),
    path("<slug:provider>/test/", views.test, name="test"),
    path("<slug:provider>/lists/", views.fetch_lists, name="lists"),
    path("<slug:provider>/defaults/", views.defaults, name="defaults"),
    path("<slug:provider>/template/", views.template, name="template"),
    path("<slug:provider>/members/", mapping.members, name="members"),
    path("<slug:provider>/clients/", mapping.clients, name="clients"),
    path("<slug:provider>/switch/", views.switch, name="switch"),
    path("<slug:provider>/remove/", views.remove, name="remove"),
]
