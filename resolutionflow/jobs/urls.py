from django.urls import path

from resolutionflow.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.job_page, name="page"),
    path("<str:name>/run/", views.run_now, name="run"),
    path("failed/<int:job_id>/again/", views.try_again, name="again"),
]
