"""The team that the journeys look at, so small that every figure can be counted by hand.

It is noon on Tuesday 10 March 2026. Amira and Jonas work for Harbour Dental and Mill Lane School:

| day    | engineer | client  | flow    | end        | minutes |                    sessions | completed | median |
| 10 Mar | Amira    | Harbour | Outlook | resolved   | 10      |
| 10 Mar | Amira    | Harbour | VPN     | workaround | 20      |
|  9 Mar | Jonas    | Mill L. | VPN     | escalated  | 30      |
|  8 Mar | Jonas    | Mill L. | Outlook | unresolved | 40      |
|  6 Mar | Amira    | Harbour | Outlook | resolved   | 10      |
|  5 Mar | Jonas    | –       | –       | active     | –       |  7 days from  4 Mar:      6 | 5 = 83 %  | 20 min |
| 20 Feb | Amira    | Mill L. | Outlook | resolved   | 60      |
| 21 Feb | Amira    | Harbour | –       | abandoned  | –       | 30 days from  9 Feb:      8 | 6 = 75 %  | 25 min |
|  5 Jan | Jonas    | Harbour | VPN     | resolved   | 90      | 90 days from 11 Dec:      9 | 7 = 78 %  | 30 min |
|  1 Nov | Jonas    | Harbour | VPN     | resolved   | 30      | before all of them
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flowpilot.models import Client, Domain, Flow, Session
from flowpilot.tests.factories import (
    ClientFactory,
    DomainFactory,
    FlowFactory,
    FlowVersionFactory,
    SessionFactory,
)
from ratings.tests.factories import SessionRatingFactory
from resolutionflow.models import User

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SHORT = {"Harbour Dental": "harbour", "Mill Lane School": "mill_lane"}


@dataclass(frozen=True)
class Team:
    amira: User
    jonas: User
    harbour: Client
    mill_lane: Client
    outlook: Flow
    vpn: Flow
    email: Domain
    network: Domain
    newest: Session  # Jonas may not read it


def make_team(amira: User, jonas: User) -> Team:
    """Writes the rows above into the account in scope."""
    harbour, mill_lane = ClientFactory(name="Harbour Dental"), ClientFactory(name="Mill Lane School")
    email, network = DomainFactory(name="Email"), DomainFactory(name="Network")
    outlook = FlowFactory(name="Outlook does not start", domain=email)
    vpn = FlowFactory(name="VPN drops", domain=network)
    version = FlowVersionFactory(flow=outlook)

    def session(month, day, hour, user, client, flow, end, minutes, problem, **more):
        started_at = datetime(2026, month, day, hour, tzinfo=UTC)
        if month > 3:
            started_at = started_at.replace(year=2025)
        ended = {} if minutes is None else {"completed_at": started_at + timedelta(minutes=minutes)}
        if end == "workaround":
            ended |= {"status": "resolved", "outcome": "workaround"}
        else:
            ended["status"] = end
        domain = flow.domain if flow else None
        return SessionFactory(
            user=user,
            client=client,
            flow=flow,
            domain=domain,
            started_at=started_at,
            problem_summary=problem,
            **ended,
            **more,
        )

    newest = session(
        3, 10, 10, amira, harbour, vpn, "workaround", 20, "VPN drops every hour", psa_ticket_id="T-1002"
    )
    first = session(
        3,
        10,
        9,
        amira,
        harbour,
        outlook,
        "resolved",
        10,
        "Outlook asks for the password again",
        psa_ticket_id="T-1001",
        flow_version=version,
        decisions=DECISIONS,
        step_count=2,
    )
    session(3, 9, 14, jonas, mill_lane, vpn, "escalated", 30, "No VPN at all")
    session(3, 8, 11, jonas, mill_lane, outlook, "unresolved", 40, "Calendar is empty")
    session(3, 6, 9, amira, harbour, outlook, "resolved", 10, "Outlook hangs at start")
    session(3, 5, 9, jonas, None, None, "active", None, "Printer is offline")
    session(2, 20, 9, amira, mill_lane, outlook, "resolved", 60, "Profile is damaged")
    session(2, 21, 9, amira, harbour, None, "abandoned", None, "Nobody answered")
    session(1, 5, 9, jonas, harbour, vpn, "resolved", 90, "VPN certificate has expired")
    session(11, 1, 9, jonas, harbour, vpn, "resolved", 30, "VPN is slow")
    SessionRatingFactory(session=first, rating=4, comment="Quick")
    return Team(amira, jonas, harbour, mill_lane, outlook, vpn, email, network, newest)


DECISIONS = [
    {
        "id": "d1",
        "node_id": "root",
        "title": "Does webmail work?",
        "answer": "No",
        "note": "",
        "at": "2026-03-10T09:01:00Z",
        "undone_at": "2026-03-10T09:02:00Z",
        "taken_over": False,
    },
    {
        "id": "d2",
        "node_id": "root",
        "title": "Does webmail work?",
        "answer": "Yes",
        "note": "After the second try.\nThe first was a typo.",
        "at": "2026-03-10T09:03:00Z",
        "undone_at": None,
        "taken_over": False,
    },
    {
        "id": "d3",
        "node_id": "n2",
        "title": "Remove the stored password",
        "answer": "Done",
        "note": "",
        "at": "2026-03-10T09:08:00Z",
        "undone_at": None,
        "taken_over": False,
    },
]
