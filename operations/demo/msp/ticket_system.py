"""The demo MSP's ticket system: a stand-in on loopback that has a ticket for each of its sessions, and the way there.

Nothing of it exists where the demo does not: the connection comes with the account, and only `make run` with that
account in its database serves the stand-in.
"""

import os
import socket
from contextlib import closing
from typing import Any

from django.utils.text import slugify

from flowpilot.models import Client, PsaConnection, PsaMember, Session
from flowpilot.psa import sealing
from flowpilot.psa.providers.connectwise.rendering import member_ref
from flowpilot.psa.providers.systems import system_of
from flowpilot.psa.stand_in import seed as plain
from flowpilot.psa.stand_in.seed import Tables
from flowpilot.sessions.states import OPEN
from operations.demo.msp import cast
from resolutionflow.accounts.models import Account, User
from resolutionflow.tenancy import account_scope

PORT = int(os.environ.get("DEMO_TICKET_SYSTEM_PORT") or 8790)
ADDRESS = f"http://127.0.0.1:{PORT}"
KEYS = {"company_id": plain.COMPANY_ID, "public_key": plain.PUBLIC_KEY, "private_key": plain.PRIVATE_KEY}
DEFAULTS = {
    "sends_note": True,
    "visibility": "internal",
    "sends_time": True,
    "rounding": 5,
    "work_type": "31",
    "location": "1",
    "billing": "default",
    "status_name": "Completed",
    "names": {"31": "Remote", "1": "Leeds"},
}
FIRST_MEMBER, ROLE, LOCATION = 101, 21, 1
WAITING = {  # tickets that nobody has taken up yet: summary → client
    "Scanner sends no mail since Monday": "Tidewell Dental Group",
    "New laptop for the practice manager": "Harrow & Pike Solicitors",
    "Staff room Wi-Fi drops every afternoon": "Marlowe Primary School",
    "Label printer offline in dispatch": "Northmoor Logistics",
    "Shared mailbox gone from Outlook": "Bellwether Accountants",
}


def connect(users: list[User]) -> None:
    """The account in scope and its people are known to the stand-in. Without a key to seal with there is no connection:
    nothing is kept in the clear."""
    if not sealing.can_seal() or sealing.key_faults():
        return
    connection = PsaConnection.objects.create(
        provider=PsaConnection.Provider.CONNECTWISE,
        base_url=ADDRESS,
        system=system_of(PsaConnection.Provider.CONNECTWISE, base_url=ADDRESS, credentials=KEYS),
        credentials=sealing.seal(KEYS),
        defaults=DEFAULTS,
    )
    PsaMember.objects.bulk_create(
        PsaMember(
            connection=connection,
            user=user,
            external_id=member_ref(number, _login(user.name)),
            login=f"{user.name} ({_login(user.name)})",
            work_role=str(ROLE),
            location=str(LOCATION),
        )
        for number, user in enumerate(users, start=FIRST_MEMBER)
        if user.is_active
    )


def _login(name: str) -> str:
    return slugify(name).replace("-", "")[:30]


def is_connected() -> bool:
    """Whether the demo is here with its connection to the stand-in."""
    account = Account.objects.filter(slug=cast.SLUG).first()
    if account is None:
        return False
    with account_scope(account):
        return PsaConnection.objects.filter(active=True, base_url=ADDRESS).exists()


def port_is_free() -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return False
    return True


def fill(tables: Tables) -> None:
    """What the stand-in holds: the demo's clients, people and tickets, and some tickets that wait for a session."""
    plain.seed(tables)
    tables.companies.clear()
    tables.members = {plain.API_MEMBER: tables.members[plain.API_MEMBER]}
    tables.tickets.clear()
    account = Account.objects.get(slug=cast.SLUG)
    with account_scope(account):
        for name, company in Client.objects.exclude(psa_company_id=None).values_list(
            "name", "psa_company_id"
        ):
            identifier = "".join(name.split())[:25]
            number = int(company or 0)
            tables.companies[number] = {"id": number, "identifier": identifier, "name": name}
        for ref, name, email in PsaMember.objects.values_list("external_id", "user__name", "user__email"):
            member, _, login = ref.partition("/")
            first, _, last = name.partition(" ")
            row: dict[str, Any] = {
                "id": int(member),
                "identifier": login,
                "firstName": first,
                "lastName": last,
            }
            row |= {"officeEmail": email, "inactiveFlag": False, "location": LOCATION, "role": ROLE}
            tables.members[int(member)] = row
        sessions = Session.objects.exclude(psa_ticket_id=None).order_by("started_at")
        for ticket, summary, client, status in sessions.values_list(
            "psa_ticket_id", "problem_summary", "client__name", "status"
        ):
            if ticket.isdecimal():
                tables.add_ticket(
                    summary,
                    id=int(ticket),
                    company=client or "Walk-in",
                    status=plain.IN_PROGRESS if status in OPEN else plain.COMPLETED,
                )
    for summary, client in WAITING.items():
        tables.add_ticket(summary, company=client)
