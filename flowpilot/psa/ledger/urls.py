from django.urls import path

from flowpilot.psa.ledger import views

app_name = "psa"
urlpatterns = [
    path("", views.ledger, name="ledger"),
    path("without-time/", views.without_time, name="without-time"),
    path("again/", views.all_again, name="all-again"),
    path("<uuid:push_id>/double/", views.double, name="double"),
]
