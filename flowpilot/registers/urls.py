from django.urls import URLPattern, path

from flowpilot.registers import views
from flowpilot.registers.kinds import CLIENTS, DOMAINS, Register


def _routes(register: Register) -> list[URLPattern]:
    noun, given = register.noun, {"register": register}
    return [
        path(f"{noun}s/", views.entry_list, given, name=register.plural),
        path(f"{noun}s/add/", views.add, given, name=f"{noun}-add"),
        path(f"{noun}s/<uuid:entry_id>/", views.edit, given, name=f"{noun}-edit"),
        path(f"{noun}s/<uuid:entry_id>/merge/", views.merge_into, given, name=f"{noun}-merge"),
        path(f"{noun}s/<uuid:entry_id>/delete/", views.delete, given, name=f"{noun}-delete"),
    ]


urlpatterns = [*_routes(CLIENTS), *_routes(DOMAINS)]
