"""Which ticket a session is about. The ticket's client comes with it."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower

from flowpilot.clients.models import Client
from flowpilot.psa.providers.base import Ticket
from flowpilot.sessions.driving import locked
from flowpilot.sessions.models import Session
from flowpilot.sessions.states import Status
from resolutionflow.storable import UNSTORABLE, visible

NAME_LENGTH = Client._meta.get_field("name").max_length
REF_LENGTH = Client._meta.get_field("psa_company_id").max_length


def link(session_id: UUID, ref: str, ticket: Ticket | None, *, now: datetime) -> Session:
    """Links the ticket, or with ref "" none. ticket: what the ticket system says of it; None where only the number is
    known, then the client stays. Linking counts as activity in an open session and changes nothing else."""
    with locked(session_id) as session:
        session.psa_ticket_id = ref or None
        fields = ["psa_ticket_id"]
        if ticket is not None and (client := client_of(ticket)) is not None:
            session.client = client
            fields.append("client")
        if session.status == Status.ACTIVE:  # a call for help keeps its moment, which is its waiting time
            session.last_activity_at = max(now, session.last_activity_at)
            fields.append("last_activity_at")
        session.save(update_fields=fields)
        return session


def client_of(ticket: Ticket) -> Client | None:
    """The client whose ticket it is: by its ID in the PSA, else by name, else made. None if the ticket names none.

    A client that has the name but no ID yet gets it; one that has another ID is somebody else of the same name, and is
    taken as it is, for names are unique in an account.
    """
    name = UNSTORABLE.sub("", ticket.company)[:NAME_LENGTH].strip()
    ref = UNSTORABLE.sub("", ticket.company_ref)
    if not ref or len(ref) > (REF_LENGTH or 0):
        ref = ""
    if ref and (found := Client.objects.filter(psa_company_id=ref).order_by("id").first()):
        return found
    if not visible(name):
        return None
    found = _named(name)
    if found is None:
        try:
            with transaction.atomic():
                return Client.objects.create(name=name, psa_company_id=ref or None)
        except IntegrityError:  # somebody made it in the same moment
            found = _named(name)
    if found is not None and ref and not found.psa_company_id:
        found.psa_company_id = ref
        found.save(update_fields=["psa_company_id"])
    return found


def _named(name: str) -> Client | None:
    # PostgreSQL folds both sides, by the same rule as the unique key on names.
    return Client.objects.alias(folded=Lower("name")).filter(folded=Lower(Value(name))).first()
