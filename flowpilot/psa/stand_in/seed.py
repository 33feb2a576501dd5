"""What the stand-in for ConnectWise holds at its start: a small MSP's boards, people, roles, companies and tickets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

COMPANY_ID, COMPANY_NAME = "northgate", "Northgate IT"
PUBLIC_KEY, PRIVATE_KEY = "standInPublicKey", "standInPrivateKey"
API_MEMBER = 14  # whose the keys are, and so whatever names no member

Rows = dict[int, dict[str, Any]]
HELP_DESK, PROJECTS = 1, 2
NEW, IN_PROGRESS, WAITING, COMPLETED, CLOSED, RETIRED = 101, 102, 103, 104, 105, 106


@dataclass
class Tables:
    """Rows by id. A reference is kept as an id and put out with its name."""

    boards: Rows = field(default_factory=dict)
    statuses: Rows = field(default_factory=dict)
    members: Rows = field(default_factory=dict)
    locations: Rows = field(default_factory=dict)
    work_types: Rows = field(default_factory=dict)
    work_roles: Rows = field(default_factory=dict)
    companies: Rows = field(default_factory=dict)
    tickets: Rows = field(default_factory=dict)
    notes: Rows = field(default_factory=dict)
    entries: Rows = field(default_factory=dict)
    callbacks: Rows = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=lambda: {"notes": 9000, "entries": 7000, "callbacks": 0})

    def next_id(self, table: str) -> int:
        """Ids ascend; one that was deleted never comes again."""
        self.newest[table] += 1
        return self.newest[table]

    def add_ticket(
        self,
        summary: str,
        *,
        company: str,
        id: int | None = None,
        board: int = HELP_DESK,
        status: int | None = None,
        merged_into: int | None = None,
    ) -> int:
        """A further ticket; the same id again changes nothing. A company is made when it is first named."""
        id = id or max(self.tickets, default=4999) + 1
        first_status = min(ref for ref, row in self.statuses.items() if row["board"] == board)
        self.tickets.setdefault(
            id,
            {
                "id": id,
                "summary": summary,
                "board": board,
                "status": status or first_status,
                "company": self.company_of(company),
                "merged_into": merged_into,
            },
        )
        return id

    def company_of(self, name: str) -> int:
        for id, row in self.companies.items():
            if row["name"] == name:
                return id
        id = max(self.companies, default=200) + 1
        self.companies[id] = {"id": id, "identifier": "".join(name.split())[:25], "name": name}
        return id


Seed = Callable[[Tables], None]


def seed(tables: Tables) -> None:
    for id, name in {HELP_DESK: "Help Desk", PROJECTS: "Projects"}.items():
        tables.boards[id] = {"id": id, "name": name}
    for order, (id, board, name, flags) in enumerate(
        [
            (NEW, HELP_DESK, "New", {"defaultFlag": True}),
            (IN_PROGRESS, HELP_DESK, "In Progress", {}),
            (WAITING, HELP_DESK, "Waiting on Client", {}),
            (COMPLETED, HELP_DESK, "Completed", {"closedStatus": True}),
            (CLOSED, HELP_DESK, "Closed", {"closedStatus": True, "timeEntryNotAllowed": True}),
            (RETIRED, HELP_DESK, "Pending Vendor (old)", {"inactive": True}),
            (201, PROJECTS, "Planned", {"defaultFlag": True}),
            (202, PROJECTS, "Done", {"closedStatus": True}),
        ]
    ):
        plain = {"closedStatus": False, "inactive": False, "timeEntryNotAllowed": False, "defaultFlag": False}
        tables.statuses[id] = {"id": id, "board": board, "name": name, "sortOrder": order} | plain | flags
    for id, login, first, last, inactive in [
        (11, "ahaddad", "Amira", "Haddad", False),
        (12, "jweber", "Jonas", "Weber", False),
        (13, "dwhitfield", "Dana", "Whitfield", False),
        (API_MEMBER, "resolutionflow", "ResolutionFlow", "API", False),
        (15, "tformer", "Tom", "Former", True),
    ]:
        email = f"{first.lower()}.{last.lower()}@northgate.example"
        tables.members[id] = {"id": id, "identifier": login, "firstName": first, "lastName": last}
        tables.members[id] |= {"officeEmail": email, "inactiveFlag": inactive, "location": 1, "role": 21}
    tables.locations |= {1: {"id": 1, "name": "Leeds"}, 2: {"id": 2, "name": "Bristol"}}
    for id, name, locations, inactive in [
        (21, "Engineer", [1, 2], False),
        (22, "Senior Engineer", [1], False),
        (23, "Field Technician", [2], False),
        (24, "Apprentice", [1, 2], True),
    ]:
        tables.work_roles[id] = {"id": id, "name": name, "locationIds": locations, "inactiveFlag": inactive}
    for id, name, inactive in [(31, "Remote", False), (32, "On-site", False), (33, "Travel (old)", True)]:
        tables.work_types[id] = {"id": id, "name": name, "inactiveFlag": inactive}
    harbour, mill, quarry = "Harbour Dental Group", "Millbrook Estates", "Quarry & Sons"
    for id, summary, company, status in [
        (5000, "Outlook keeps asking for the password", harbour, NEW),
        (5001, "No network in the meeting room", harbour, IN_PROGRESS),
        (5002, "Printer on the second floor prints blank pages", mill, NEW),
        (5003, "Wi-Fi drops in the warehouse", mill, WAITING),
        (5004, "New starter: laptop and accounts", quarry, COMPLETED),
        (5005, "VPN fails after the last update", quarry, CLOSED),
        (5006, "Cannot reach shared drive S:", harbour, IN_PROGRESS),
    ]:
        tables.add_ticket(summary, company=company, id=id, status=status)
    tables.add_ticket("Meeting room: still no network", company=harbour, id=5007, merged_into=5001)
    tables.add_ticket("Move the file server", company=mill, id=5008, board=PROJECTS)
