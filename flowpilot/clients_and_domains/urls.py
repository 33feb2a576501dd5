from django.urls import URLPattern, path

from flowpilot.clients_and_domains import views
from flowpilot.clients_and_domains.kinds import CLIENTS, DOMAINS, Kind


def _routes(kind: Kind) -> list[URLPattern]:
    noun, given = kind.noun, {"kind": kind}
    return [
        path(f"{noun}s/", views.entry_list, given, name=kind.plural),
        path(f"{noun}s/add/", views.add, given, name=f"{noun}-add"),
        path(f"{noun}s/<uuid:entry_id>/", views.edit, given, name=f"{noun}-edit"),
        path(f"{noun}s/<uuid:entry_id>/merge/", views.merge_into, given, name=f"{noun}-merge"),
        path(f"{noun}s/<uuid:entry_id>/delete/", views.delete, given, name=f"{noun}-delete"),
    ]


urlpatterns = [*_routes(CLIENTS), *_routes(DOMAINS)]
