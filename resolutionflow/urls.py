"""Every route. Each view behind the sign-in says so itself; tests/isolation walks them all."""

from allauth.account import views as sign_in
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path

from analytics.api import router as analytics_router
from analytics.flowpilot.api import router as flowpilot_analytics_router
from flowpilot.flows.api import router as flows_router
from flowpilot.home.views import home
from flowpilot.proposals.api import router as proposals_router
from flowpilot.sessions.api import router as sessions_router
from ratings.api import router as ratings_router
from resolutionflow.accounts import settings_views
from resolutionflow.accounts.views import choose_account
from resolutionflow.api import api
from resolutionflow.database.health import health
from resolutionflow.definitions import metric_definitions


def closed(request: HttpRequest) -> HttpResponse:
    """Sign-up: users come from commands, imports and invitations."""
    raise Http404("Sign-up is closed")


api.add_router("/analytics", analytics_router)
api.add_router("/flows", flows_router)
api.add_router("/proposals", proposals_router)
api.add_router("/sessions", sessions_router)
api.add_router("", ratings_router)
api.add_router("/analytics/flowpilot", flowpilot_analytics_router)

account_urls = [
    path("login/", sign_in.login, name="account_login"),
    path("logout/", sign_in.logout, name="account_logout"),
    path("signup/", closed, name="account_signup"),
    path("inactive/", sign_in.account_inactive, name="account_inactive"),
    path("password/change/", sign_in.password_change, name="account_change_password"),
    path("password/reset/", sign_in.password_reset, name="account_reset_password"),
    path("password/reset/done/", sign_in.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        sign_in.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        sign_in.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]

settings_urls: list[URLPattern | URLResolver] = [
    path("", settings_views.start, name="start"),
    path("profile/", settings_views.profile, name="profile"),
    path("tokens/", settings_views.tokens, name="tokens"),
    path("tokens/<uuid:token_id>/revoke/", settings_views.revoke_token, name="revoke_token"),
    path("account/", settings_views.account, name="account"),
    path("users/", include("flowpilot.users.urls")),
    path("psa/", include("flowpilot.psa.connecting.urls")),
    path("", include("flowpilot.clients_and_domains.urls")),
]

urlpatterns = [
    path("", home, name="home"),
    path("accounts/", include(account_urls)),
    path("accounts/choose/", choose_account, name="choose_account"),
    path("flows/", include("flowpilot.flows.urls")),
    path("proposals/", include("flowpilot.proposals.urls")),
    path("sessions/", include("flowpilot.sessions.urls")),
    path("sessions/", include("ratings.urls")),
    path("analytics/", include("analytics.urls")),
    path("settings/", include((settings_urls, "settings"))),
    path("digest/", include("analytics.digest.urls")),
    path("psa/", include("flowpilot.psa.ledger.urls")),
    path("jobs/", include("resolutionflow.jobs.urls")),
    path("help/metrics/", metric_definitions, name="metrics-help"),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("healthz", health, name="health"),
]
