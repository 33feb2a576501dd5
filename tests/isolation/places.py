"""Every route of the product, who may open it, and the addresses at which it is visited.

A new route fails `test_routes.py` until it has an entry here. Addresses are filled from the rows of a `House`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.urls import URLPattern, get_resolver

from analytics import dashboards
from flowpilot.models import FlowProposal
from resolutionflow.administration.tenant import TenantAdmin
from resolutionflow.exports import FORMATS

# unchosen: a super admin without account
VIEWERS = ("anonymous", "engineer", "team_admin", "unchosen", "super_admin")

TEAM_PANELS = [panel.name for panel in dashboards.TEAM.panels]
TEAM_EXPORTS = [panel.name for panel in dashboards.TEAM.panels if panel.export]
MY_PANELS = [panel.name for panel in dashboards.MY.panels]
MY_EXPORTS = [panel.name for panel in dashboards.MY.panels if panel.export]
FLOW_PANELS = [panel.name for panel in (*dashboards.FLOW.panels, *dashboards.FLOW.sections)]
FLOW_EXPORTS = [panel.name for panel in dashboards.FLOW.panels if panel.export]

SIGN_IN, CHOOSE = "to the sign-in", "to the choice of an account"
PUBLIC = dict.fromkeys(VIEWERS, 200)
PERSON = PUBLIC | {"anonymous": SIGN_IN}
ACCOUNT = PERSON | {"unchosen": CHOOSE}
TEAM = ACCOUNT | {"engineer": 403}
INSTALLATION = PERSON | {"engineer": 403, "team_admin": 403}
BACK_OFFICE = PERSON | {"engineer": 403}  # a team admin's has proposals alone
MINE = PERSON | {"unchosen": 403, "super_admin": 403}
API_MINE = MINE | {"anonymous": 401}
API_TEAM = PERSON | {"anonymous": 401, "engineer": 403}
API_ACCOUNT = PERSON | {
    "anonymous": 401,
    "unchosen": 403,
    "super_admin": 403,
}  # the account is named by each call
API_ACT = dict.fromkeys(VIEWERS, 405)  # nothing to look at; tests/isolation/test_api_acts.py does them


@dataclass(frozen=True)
class Place:
    """`answers` says what each viewer gets for the rows of the own account. `installation`: a page of super admins
    about all accounts, which names them and their users."""

    paths: tuple[str, ...]
    answers: dict[str, str | int]
    installation: bool = False

    @property
    def of_rows(self) -> bool:
        return any("{" in path for path in self.paths)


def at(*paths: str, who: dict[str, str | int], installation: bool = False, **but: str | int) -> Place:
    return Place(paths, who | but, installation)


def always(who: dict[str, str | int], answer: str | int) -> dict[str, str | int]:
    """The answer for everybody who gets in."""
    return {viewer: answer if given == 200 else given for viewer, given in who.items()}


PUBLIC_ROUTES = {
    "accounts/login/",
    "accounts/logout/",
    "admin/login/",
    "admin/logout/",
    "accounts/signup/",
    "accounts/inactive/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
    "accounts/password/reset/key/done/",
    "api/v1/",
    "api/v1/docs",
    "api/v1/openapi.json",
    "digest/unsubscribe/<str:token>/",
    "healthz",
}

PLACES = {
    "": at("/", who=ACCOUNT),
    "flows/": at("/flows/", "/flows/?q=step&status=all&sort=quality", "/flows/?domain_id=none", who=ACCOUNT),
    "flows/new/": at("/flows/new/?domain_id={domain.id}", who=TEAM),
    "flows/starter/": at("/flows/starter/", who=TEAM),
    "flows/starter/<slug:slug>/": at("/flows/starter/computer-is-slow/", who=TEAM),
    "accounts/login/": at("/accounts/login/", who=always(PUBLIC, 302), anonymous=200),
    "accounts/logout/": at("/accounts/logout/", who=PUBLIC, anonymous=302),
    "accounts/signup/": at("/accounts/signup/", who=always(PUBLIC, 404)),
    "accounts/inactive/": at("/accounts/inactive/", who=PUBLIC),
    "accounts/password/change/": at("/accounts/password/change/", who=PERSON),
    "accounts/password/reset/": at("/accounts/password/reset/", who=PUBLIC),
    "accounts/password/reset/done/": at("/accounts/password/reset/done/", who=PUBLIC),
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": at(
        "/accounts/password/reset/key/abc-def/", who=PUBLIC
    ),
    "accounts/password/reset/key/done/": at("/accounts/password/reset/key/done/", who=PUBLIC),
    "accounts/choose/": at("/accounts/choose/", who=PERSON, engineer=302, team_admin=302, installation=True),
    "proposals/": at("/proposals/", "/proposals/?status=all&q=a&sort=sessions", who=TEAM),
    "proposals/<uuid:proposal_id>/": at("/proposals/{flowproposal.id}/", who=TEAM),
    **{
        f"proposals/<uuid:proposal_id>/{act}/": at(
            f"/proposals/{{flowproposal.id}}/{act}/", who=always(TEAM, 405)
        )
        for act in ("approve", "edit", "reject", "dismiss")
    },
    "sessions/": at("/sessions/", "/sessions/?period=all", "/sessions/?help=wanted", who=ACCOUNT),
    "sessions/domain/": at("/sessions/domain/", who=always(TEAM, 405)),
    "sessions/<uuid:session_id>/": at("/sessions/{session.id}/", who=ACCOUNT),
    **{
        f"flows/<uuid:flow_id>/edit/{rest}": at(f"/flows/{{flow.id}}/edit/{rest}", who=TEAM)
        for rest in ("", "flow/", "publish/", "discard/", "preview/")
    },
    "flows/<uuid:flow_id>/edit/ask/<slug:what>/": at(
        "/flows/{flow.id}/edit/ask/delete/", "/flows/{flow.id}/edit/ask/move/", who=TEAM
    ),
    **{
        f"flows/<uuid:flow_id>/edit/{rest}": at(f"/flows/{{flow.id}}/edit/{rest}", who=always(TEAM, 405))
        for rest in ("change/", "undo/", "merge/")
    },
    "flows/import/": at("/flows/import/", who=TEAM),
    "flows/<uuid:flow_id>/": at("/flows/{flow.id}/", who=ACCOUNT),
    "flows/<uuid:flow_id>/versions/<int:number>/": at("/flows/{flow.id}/versions/1/", who=ACCOUNT),
    "flows/<uuid:flow_id>/compare/": at("/flows/{flow.id}/compare/?from=1&to=1", who=ACCOUNT),
    "flows/<uuid:flow_id>/export.<slug:format>": at(
        "/flows/{flow.id}/export.json?version=1", "/flows/{flow.id}/export.mmd?version=1", who=ACCOUNT
    ),
    "flows/<uuid:flow_id>/archive/": at("/flows/{flow.id}/archive/", who=always(ACCOUNT, 405)),
    "flows/<uuid:flow_id>/restore/": at("/flows/{flow.id}/restore/", who=always(ACCOUNT, 405)),
    "sessions/<uuid:session_id>/steps/<uuid:step_id>/thumb/": at(
        "/sessions/{session.id}/steps/{step.id}/thumb/", who=MINE, team_admin=403
    ),
    "sessions/<uuid:session_id>/rating/": at("/sessions/{session.id}/rating/", who=MINE, team_admin=403),
    "sessions/<uuid:session_id>/rating/ask/": at("/sessions/{session.id}/rating/ask/", who=always(MINE, 405)),
    "sessions/new/": at("/sessions/new/?flow={flow.id}", who=MINE),
    "sessions/new/tickets/": at("/sessions/new/tickets/", who=always(MINE, 405)),
    "sessions/new/suggestions/": at("/sessions/new/suggestions/", who=always(MINE, 405)),
    **{
        f"sessions/<uuid:session_id>/{act}/": at(f"/sessions/{{session.id}}/{act}/", who=always(ACCOUNT, 405))
        for act in (
            *("decide", "beside", "back", "note", "leave", "return", "script"),
            *("take-up", "reopen", "take-over", "answer"),
        )
    },
    **{  # of one's own session that has ended these lead back to its page
        f"sessions/<uuid:session_id>/{act}/": at(
            f"/sessions/{{session.id}}/{act}/",
            who=always(ACCOUNT, 302),
            team_admin=403,
            super_admin=403,
        )
        for act in ("finish", "help")
    },
    "sessions/<uuid:session_id>/known-steps/": at(
        "/sessions/{session.id}/known-steps/?title=a", who=ACCOUNT, team_admin=403, super_admin=403
    ),
    "sessions/<uuid:session_id>/waiting/": at(
        "/sessions/{session.id}/waiting/", who=ACCOUNT, team_admin=403, super_admin=403
    ),
    "sessions/<uuid:session_id>/ticket/": at("/sessions/{session.id}/ticket/", who=ACCOUNT),
    "sessions/<uuid:session_id>/push/": at("/sessions/{session.id}/push/", who=ACCOUNT),
    "sessions/<uuid:session_id>/push/state/": at("/sessions/{session.id}/push/state/", who=ACCOUNT),
    **{
        f"sessions/<uuid:session_id>/{act}/": at(f"/sessions/{{session.id}}/{act}/", who=always(ACCOUNT, 405))
        for act in ("ticket/find", "push/look")
    },
    **{
        f"sessions/<uuid:session_id>/push/<uuid:push_id>/{act}/": at(
            f"/sessions/{{session.id}}/push/{{psapush.id}}/{act}/", who=always(ACCOUNT, 405)
        )
        for act in ("again", "now")
    },
    "sessions/<uuid:session_id>/push/<uuid:push_id>/dismiss/": at(
        "/sessions/{session.id}/push/{psapush.id}/dismiss/", who=ACCOUNT
    ),
    "psa/": at("/psa/", "/psa/?state=attention&kind=note&q=1", who=TEAM),
    "psa/without-time/": at("/psa/without-time/", "/psa/without-time/?period=90d&ticket=yes", who=TEAM),
    "psa/again/": at("/psa/again/", who=always(ACCOUNT, 405) | {"engineer": 403}),
    "psa/<uuid:push_id>/double/": at("/psa/{psapush.id}/double/", who=TEAM),
    "settings/psa/": at("/settings/psa/", who=always(TEAM, 302)),
    "settings/psa/<slug:provider>/": at("/settings/psa/connectwise/", "/settings/psa/halopsa/", who=TEAM),
    **{
        f"settings/psa/<slug:provider>/{rest}/": at(f"/settings/psa/connectwise/{rest}/", who=TEAM)
        for rest in ("members", "clients", "remove")
    },
    **{
        f"settings/psa/<slug:provider>/{act}/": at(
            f"/settings/psa/connectwise/{act}/", who=always(ACCOUNT, 405) | {"engineer": 403}
        )
        for act in ("test", "lists", "defaults", "template", "switch")
    },
    "analytics/": at("/analytics/", "/analytics/?period=90d", who=TEAM),
    "analytics/panels/<slug:panel>/": at(*(f"/analytics/panels/{panel}/" for panel in TEAM_PANELS), who=TEAM),
    "analytics/panels/<slug:panel>.<slug:format>": at(
        *(f"/analytics/panels/{panel}.{format}" for panel in TEAM_EXPORTS for format in FORMATS), who=TEAM
    ),
    "analytics/sheet/": at("/analytics/sheet/?client_id={client.id}&period=90d", who=TEAM),
    "analytics/sessions.<slug:format>": at(
        "/analytics/sessions.csv?period=all", "/analytics/sessions.xlsx?period=all", who=ACCOUNT
    ),
    **{
        f"analytics/settings/{what}.<slug:format>": at(
            *(f"/analytics/settings/{what}.{format}" for format in FORMATS), who=TEAM
        )
        for what in ("users", "clients", "domains")
    },
    **{
        f"analytics/psa/{what}.<slug:format>": at(
            *(f"/analytics/psa/{what}.{format}" for format in FORMATS), who=TEAM
        )
        for what in ("pushes", "without-time")
    },
    "settings/": at("/settings/", who=always(PERSON, 302)),
    "settings/profile/": at("/settings/profile/", who=PERSON),
    **{
        f"settings/{noun}s/{rest}": at(f"/settings/{noun}s/{filled}", who=TEAM)
        for noun in ("client", "domain")
        for rest, filled in (
            ("", ""),
            ("add/", "add/"),
            ("<uuid:entry_id>/", f"{{{noun}.id}}/"),
            ("<uuid:entry_id>/merge/", f"{{{noun}.id}}/merge/"),
        )
    },
    **{
        f"settings/{noun}s/<uuid:entry_id>/delete/": at(
            f"/settings/{noun}s/{{{noun}.id}}/delete/", who=always(TEAM, 405)
        )
        for noun in ("client", "domain")
    },
    "digest/send/": at("/digest/send/", who=always(ACCOUNT, 405)),
    "digest/unsubscribe/<str:token>/": at("/digest/unsubscribe/nobody/", who=always(PUBLIC, 404)),
    "jobs/": at("/jobs/", who=INSTALLATION, installation=True),
    "jobs/<str:name>/run/": at("/jobs/jobs.remove_old/run/", who=always(INSTALLATION, 405)),
    "jobs/failed/<int:job_id>/again/": at("/jobs/failed/1/again/", who=always(INSTALLATION, 405)),
    "analytics/me/": at("/analytics/me/", "/analytics/me/?period=90d", who=MINE),
    "analytics/me/panels/<slug:panel>/": at(
        *(f"/analytics/me/panels/{panel}/" for panel in MY_PANELS), who=MINE
    ),
    "analytics/me/panels/<slug:panel>.<slug:format>": at(
        *(f"/analytics/me/panels/{panel}.{format}" for panel in MY_EXPORTS for format in FORMATS), who=MINE
    ),
    "analytics/flowpilot/": at(
        "/analytics/flowpilot/",
        *(f"/analytics/flowpilot/?tab={tab.value}&period=90d" for tab in dashboards.FLOWPILOT),
        who=TEAM,
    ),
    "analytics/flowpilot/<slug:tab>/panels/<slug:panel>/": at(
        *(
            f"/analytics/flowpilot/{tab.value}/panels/{name}/"
            for tab in dashboards.FLOWPILOT
            for name in sorted({panel.name for panel in (*tab.sections, *tab.panels)})
        ),
        who=TEAM,
    ),
    "analytics/flowpilot/<slug:tab>/panels/<slug:panel>.<slug:format>": at(
        *(
            f"/analytics/flowpilot/{tab.value}/panels/{panel.name}.{format}"
            for tab in dashboards.FLOWPILOT
            for panel in tab.panels
            if panel.export
            for format in FORMATS
        ),
        who=TEAM,
    ),
    "analytics/flows/<uuid:flow_id>/": at(
        "/analytics/flows/{flow.id}/", "/analytics/flows/{flow.id}/?period=90d&version=1", who=ACCOUNT
    ),
    "analytics/flows/<uuid:flow_id>/panels/<slug:panel>/": at(
        *(f"/analytics/flows/{{flow.id}}/panels/{panel}/" for panel in FLOW_PANELS), who=ACCOUNT
    ),
    "analytics/flows/<uuid:flow_id>/panels/<slug:panel>.<slug:format>": at(
        *(
            f"/analytics/flows/{{flow.id}}/panels/{panel}.{format}"
            for panel in FLOW_EXPORTS
            for format in FORMATS
        ),
        who=ACCOUNT,
    ),
    "settings/tokens/": at("/settings/tokens/", who=PERSON),
    "settings/tokens/<uuid:token_id>/revoke/": at(
        "/settings/tokens/{apitoken.id}/revoke/", who=PERSON, engineer=403, unchosen=404, super_admin=404
    ),
    "settings/account/": at("/settings/account/", who=TEAM),
    "settings/users/": at("/settings/users/", "/settings/users/?state=all", who=TEAM),
    "settings/users/invite/": at("/settings/users/invite/", who=TEAM),
    "settings/users/<uuid:user_id>/": at("/settings/users/{user.id}/", who=TEAM),
    "settings/users/<uuid:user_id>/deactivate/": at("/settings/users/{user.id}/deactivate/", who=TEAM),
    "settings/users/<uuid:user_id>/invite/": at(
        "/settings/users/{user.id}/invite/", who=TEAM, team_admin=405, super_admin=405
    ),
    "settings/users/<uuid:user_id>/reactivate/": at(
        "/settings/users/{user.id}/reactivate/", who=TEAM, team_admin=405, super_admin=405
    ),
    "help/metrics/": at("/help/metrics/", who=PERSON),
    "api/v1/": at("/api/v1/", who=always(PUBLIC, 404)),
    "api/v1/docs": at("/api/v1/docs", who=PUBLIC),
    "api/v1/openapi.json": at("/api/v1/openapi.json", who=PUBLIC),
    "api/v1/flows": at("/api/v1/flows", "/api/v1/flows?q=leaf&sort=usage", who=API_ACCOUNT),
    "api/v1/flows/<uuidstr:flow_id>": at(
        "/api/v1/flows/{flow.id}", "/api/v1/flows/{flow.id}?version=1", who=API_ACCOUNT
    ),
    "api/v1/proposals": at("/api/v1/proposals?status=all", who=API_TEAM, unchosen=403, super_admin=403),
    "api/v1/proposals/<uuidstr:proposal_id>": at(
        "/api/v1/proposals/{flowproposal.id}", who=API_TEAM, unchosen=403, super_admin=403
    ),
    **{
        f"api/v1/proposals/<uuidstr:proposal_id>/{act}": at(
            f"/api/v1/proposals/{{flowproposal.id}}/{act}", who=API_ACT
        )
        for act in ("approve", "reject", "dismiss", "publish")
    },
    "api/v1/sessions": at("/api/v1/sessions?period=all", "/api/v1/sessions?help=wanted", who=API_ACCOUNT),
    "api/v1/sessions/<uuidstr:session_id>": at("/api/v1/sessions/{session.id}", who=API_ACCOUNT),
    **{
        f"api/v1/sessions/<uuidstr:session_id>/{act}": at(
            f"/api/v1/sessions/{{session.id}}/{act}", who=API_ACT
        )
        for act in ("decisions", "complete", "escalate", "rate")
    },
    "api/v1/analytics/team": at("/api/v1/analytics/team", who=API_TEAM, unchosen=403, super_admin=403),
    "api/v1/analytics/flows/<uuidstr:flow_id>": at("/api/v1/analytics/flows/{flow.id}", who=API_ACCOUNT),
    **{
        f"api/v1/analytics/flowpilot{rest}": at(
            f"/api/v1/analytics/flowpilot{rest}", who=API_TEAM, unchosen=403, super_admin=403
        )
        for rest in ("", "/coverage", "/flow-quality", "/psa", "/knowledge-gaps")
    },
    "api/v1/analytics/me": at("/api/v1/analytics/me", who=API_MINE),
    "api/v1/steps/<uuidstr:step_id>/feedback": at("/api/v1/steps/{step.id}/feedback", who=API_ACT),
    "admin/": at("/admin/", who=BACK_OFFICE, installation=True),
    "admin/login/": at("/admin/login/", who=always(PUBLIC, 302)),
    "admin/logout/": at("/admin/logout/", who=always(BACK_OFFICE, 302), anonymous=302),
    "admin/password_change/": at("/admin/password_change/", who=always(BACK_OFFICE, 302)),
    "admin/password_change/done/": at("/admin/password_change/done/", who=BACK_OFFICE, installation=True),
    "admin/autocomplete/": at(
        "/admin/autocomplete/?app_label=flowpilot&model_name=flow&field_name=domain&term=",
        who=INSTALLATION,
        unchosen=403,
    ),
    "admin/jsi18n/": at("/admin/jsi18n/", who=BACK_OFFICE),
    "admin/(?P<url>.*)$": at("/admin/nothing/", who=always(BACK_OFFICE, 404)),
    "healthz": at("/healthz", who=PUBLIC),
}

ADMIN = re.compile(r"admin/(\w+)/(\w+)/(.*)")


def routes() -> list[str]:
    """The patterns of the URLconf, joined from the root."""

    def below(patterns: list, prefix: str) -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield path
            else:
                yield from below(pattern.url_patterns, path)

    return list(below(get_resolver().url_patterns, ""))


def place_of(route: str) -> Place | None:
    """The entry of a route; those of admin classes are all alike."""
    if route in PLACES:
        return PLACES[route]
    if route.startswith("admin/^(?P<app_label>"):
        return at("/admin/flowpilot/", who=BACK_OFFICE, unchosen=404, installation=True)
    found = ADMIN.fullmatch(route)
    model_admin = next(
        (
            a
            for m, a in admin.site._registry.items()
            if found and m._meta.label_lower == f"{found[1]}.{found[2]}"
        ),
        None,
    )
    return _admin_place(model_admin, found[3]) if model_admin else None


def _admin_place(model_admin: admin.ModelAdmin, rest: str) -> Place:
    model, tenant = model_admin.opts.model_name, isinstance(model_admin, TenantAdmin)
    address = f"/admin/{model_admin.opts.app_label}/{model}/" + rest.replace(
        "<path:object_id>", "{" + f"{model}.pk" + "}"
    )
    allowed = {
        "add/": _allows(model_admin, "add"),
        "<path:object_id>/delete/": _allows(model_admin, "delete"),
    }
    answer: int = 200 if allowed.get(rest, True) else 403
    if rest == "<path:object_id>/":
        answer = 302
    # the row's plain address leads on to its page, which then refuses
    reviewed = model_admin.model is FlowProposal or answer == 302
    who = always(BACK_OFFICE if reviewed else INSTALLATION, answer)
    if tenant:
        who["unchosen"] = answer if answer == 302 else 404 if rest.startswith("<") else 403
    return Place((address,), who, installation=not tenant)


def _allows(model_admin: admin.ModelAdmin, act: str) -> bool:
    if isinstance(model_admin, TenantAdmin):
        return not model_admin.facts
    closed = {"User": ("delete",), "Account": ("delete",)}
    return act not in closed.get(model_admin.model.__name__, ("add", "delete"))
