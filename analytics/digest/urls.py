from django.urls import path

from analytics.digest import views

app_name = "digest"
urlpatterns = [
    path("send/", views.send_now, name="send"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
