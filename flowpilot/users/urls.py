from django.urls import path

from flowpilot.users import views

app_name = "users"
urlpatterns = [
    path("", views.user_list, name="list"),
    path("invite/", views.invite_user, name="invite"),
    path("<uuid:user_id>/", views.user_detail, name="detail"),
    path("<uuid:user_id>/invite/", views.invite_again, name="invite_again"),
    path("<uuid:user_id>/deactivate/", views.deactivate_user, name="deactivate"),
    path("<uuid:user_id>/reactivate/", views.reactivate_user, name="reactivate"),
]
