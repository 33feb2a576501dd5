from django.urls import path

from flowpilot.psa.pushing import views as pushing
from flowpilot.psa.tickets import views as tickets
from flowpilot.sessions import acts, intake, mapping, views

app_name = "sessions"
urlpatterns = [
    path("", views.session_list, name="list"),
    path("new/", intake.new_session, name="new"),
    path("new/suggestions/", intake.suggest, name="suggest"),
    path("new/tickets/", intake.start_tickets, name="start-tickets"),
    path("domain/", mapping.give_domain, name="give-domain"),
    path("<uuid:session_id>/", views.session_detail, name="detail"),
    path("<uuid:session_id>/decide/", acts.decide, name="decide"),
    path("<uuid:session_id>/beside/", acts.beside, name="beside"),
    path("<uuid:session_id>/known-steps/", acts.known, name="known-steps"),
    path("<uuid:session_id>/back/", acts.back, name="back"),
    path("<uuid:session_id>/note/", acts.note, name="note"),
    path("<uuid:session_id>/leave/", acts.leave, name="leave"),
    path("<uuid:session_id>/return/", acts.return_to_flow, name="return"),
    path("<uuid:session_id>/script/", acts.script, name="script"),
    path("<uuid:session_id>/finish/", acts.finish, name="finish"),
    path("<uuid:session_id>/help/", acts.ask_for_help, name="help"),
    path("<uuid:session_id>/take-up/", acts.take_up, name="take-up"),
    path("<uuid:session_id>/reopen/", acts.reopen, name="reopen"),
    path("<uuid:session_id>/take-over/", acts.take_over, name="take-over"),
    path("<uuid:session_id>/answer/", acts.answer, name="answer"),
    path("<uuid:session_id>/waiting/", acts.waiting, name="waiting"),
    path("<uuid:session_id>/ticket/", tickets.ticket, name="ticket"),
    path("<uuid:session_id>/ticket/find/", tickets.find, name="find-tickets"),
    path("<uuid:session_id>/push/", pushing.send, name="send"),
    path("<uuid:session_id>/push/look/", pushing.look, name="push-look"),
    path("<uuid:session_id>/push/state/", pushing.state, name="pushes"),
    path("<uuid:session_id>/push/<uuid:push_id>/again/", pushing.again, name="push-again"),
    path("<uuid:session_id>/push/<uuid:push_id>/now/", pushing.set_now, name="push-now"),
    path("<uuid:session_id>/push/<uuid:push_id>/dismiss/", pushing.dismiss_push, name="push-dismiss"),
]
