"""HaloPSA, standing in, as far as notes, time and status go: sign-in by token, and actions that may do all three."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from flowpilot.psa.stand_in.faults import Fault
from flowpilot.psa.stand_in.wsgi import Answer, Clock, Refused, Request, StandIn, system_clock

TENANT, CLIENT_ID, CLIENT_SECRET = "northgate", "standInClientId", "standInClientSecret"
TOKEN_SECONDS = 3600
STATUSES = {1: ("New", False), 2: ("In Progress", False), 4: ("With User", False), 9: ("Closed", True)}
AGENTS = {
    3: ("Amira Haddad", "amira.haddad@northgate.example"),
    4: ("Jonas Weber", "jonas.weber@northgate.example"),
}
TICKETS = [
    (2001, "Outlook keeps asking for the password", "Harbour Dental Group", 1),
    (2002, "Printer on the second floor prints blank pages", "Millbrook Estates", 2),
    (2003, "VPN fails after the last update", "Quarry & Sons", 9),
]


class HaloStandIn(StandIn):
    def __init__(self, *, clock: Clock = system_clock) -> None:
        super().__init__(clock=clock)
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.tokens: dict[str, float] = {}
        self.auth_url = ""  # another one than its own, where a test sets it
        self.actions: dict[int, dict[str, Any]] = {}
        self.newest = 600
        self.tickets: dict[int, dict[str, Any]] = {
            id: {
                "id": id,
                "summary": summary,
                "client_id": id % 10,
                "client_name": client,
                "status_id": status,
            }
            for id, summary, client, status in TICKETS
        }

    def seed_more(self, tickets: list[dict[str, Any]]) -> None:
        for ticket in tickets:
            id = int(ticket["id"])
            row = {"id": id, "summary": str(ticket["summary"]), "client_name": str(ticket["company"])}
            self.tickets.setdefault(id, row | {"client_id": id % 10, "status_id": 1})

    def switch(self, name: str, on: bool) -> None:
        raise ValueError(f"There is no switch {name!r}")

    def route(self, path: str) -> str:
        return path.removeprefix("/api")

    def fault_answer(self, fault: Fault, request: Request) -> Answer:
        if fault.name == "429":
            return Answer(429, {"error": "rate_limit"}, {"Retry-After": str(fault.retry_after)})
        if fault.name == "503_html":
            return Answer(503, b"<html><body>Service Unavailable</body></html>", content_type="text/html")
        if fault.name == "reject":
            return Answer(400, {"Message": f"{fault.field} is not accepted."})
        if fault.name in {"401", "403", "409"}:
            if fault.name == "401":
                self.tokens.clear()
            return Answer(int(fault.name), {"Message": "Refused."})
        if fault.name == "404_endpoint":
            return Answer(404, b"<html><body>Not Found</body></html>", content_type="text/html")
        return Answer(500, {"Message": "An error has occurred."})

    def handle(self, request: Request) -> Answer:
        if (request.method, request.path) == ("GET", "/api/authinfo"):
            own = f"http://{request.headers.get('host', '')}/auth"
            return Answer(200, {"auth_url": self.auth_url or own, "tenant_id": TENANT})
        if (request.method, request.path) == ("POST", "/auth/token"):
            return self._token(request)
        if not request.path.startswith("/api/"):
            return Answer(404, b"<html><body>Not Found</body></html>", content_type="text/html")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= self.clock().timestamp():
            return Answer(401, {"Message": "Authorization has been denied for this request."})
        parts = request.path.removeprefix("/api/").split("/")
        views: dict[tuple[str, str, int], Callable[[], Answer]] = {
            ("GET", "Tickets", 1): lambda: self._tickets(request),
            ("GET", "Tickets", 2): lambda: Answer(200, self._put(self._ticket(parts[1]))),
            ("GET", "Actions", 1): lambda: self._actions(request),
            ("POST", "Actions", 1): lambda: self._act(request),
            ("DELETE", "Actions", 2): lambda: self._delete(parts[1]),
            ("GET", "Status", 1): lambda: Answer(
                200, [{"id": id, "name": s[0]} for id, s in STATUSES.items()]
            ),
            ("GET", "Agent", 1): lambda: Answer(
                200,
                [{"id": id, "name": a[0], "email": a[1], "isdisabled": False} for id, a in AGENTS.items()],
            ),
        }
        view = views.get((request.method, parts[0], len(parts)))
        return view() if view else Answer(404, {"Message": "No HTTP resource was found."})

    def _token(self, request: Request) -> Answer:
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        wanted = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        if request.query.get("tenant") != TENANT or any(form.get(k) != v for k, v in wanted.items()):
            return Answer(400, {"error": "invalid_client"})
        token = secrets.token_urlsafe(20)
        self.tokens[token] = (self.clock() + timedelta(seconds=TOKEN_SECONDS)).timestamp()
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})

    def _ticket(self, ref: object) -> dict[str, Any]:
        row = self.tickets.get(int(str(ref))) if str(ref).isdecimal() else None
        if row is None:
            raise Refused(Answer(404, {"Message": "The ticket was not found."}))
        return row

    def _put(self, row: dict[str, Any]) -> dict[str, Any]:
        name, closed = STATUSES[row["status_id"]]
        return row | {"status_name": name, "hasbeenclosed": closed, "team": "Service Desk"}

    def _tickets(self, request: Request) -> Answer:
        wanted = request.query.get("search", "").casefold()
        found = [self._put(row) for row in self.tickets.values() if wanted in str(row["summary"]).casefold()]
        found.sort(key=lambda row: int(row["id"]), reverse=True)
        size, page = int(request.query.get("page_size", 50)), int(request.query.get("page_no", 1))
        tickets = found[(page - 1) * size : page * size]
        return Answer(200, {"record_count": len(found), "tickets": tickets})

    def _actions(self, request: Request) -> Answer:
        id = self._ticket(request.query.get("ticket_id"))["id"]
        found = [row for row in self.actions.values() if row["ticket_id"] == id]
        found = found[: max(len(found) - request.hide_newest, 0)]
        return Answer(200, {"record_count": len(found), "actions": found[::-1]})  # newest first

    def _act(self, request: Request) -> Answer:
        """One action may carry a note, time and a status at once."""
        body = request.json()
        if not isinstance(body, list) or not body or not all(isinstance(row, dict) for row in body):
            return Answer(400, {"Message": "The body must be an array of actions."})
        for given in body:
            if not given.get("ticket_id") or not (given.get("outcome") or given.get("outcome_id")):
                return Answer(400, {"Message": "ticket_id and outcome are required."})
            if "new_status" in given and given["new_status"] not in STATUSES:
                return Answer(400, {"Message": "There is no such status."})
            if given.get("who_agentid") not in {None, *AGENTS}:
                return Answer(400, {"Message": "There is no such agent."})
            self._ticket(given["ticket_id"])
        made = [self._made(given) for given in body]
        return Answer(201, made[0] if len(made) == 1 else made)

    def _made(self, given: dict[str, Any]) -> dict[str, Any]:
        self.newest += 1
        ticket, note = self._ticket(given["ticket_id"]), str(given.get("note") or "")
        row = {
            "id": self.newest,
            "ticket_id": ticket["id"],
            "outcome": given.get("outcome"),
            "note": note,
            "note_html": given.get("note_html", ""),
            "hiddenfromuser": bool(given.get("hiddenfromuser")),
            "timetaken": given.get("timetaken", 0),
            "who_agentid": given.get("who_agentid"),
            "new_status": given.get("new_status", -1),
            "datetime": given.get("datetime") or self.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self.actions[row["id"]] = row
        kind = "time_entry" if row["timetaken"] else "status" if "new_status" in given else "note"
        if "new_status" in given:
            ticket["status_id"] = given["new_status"]
        self.ledger.commit(self.clock(), kind, row["id"], ticket["id"], note)
        return row

    def _delete(self, ref: str) -> Answer:
        if self.actions.pop(int(ref) if ref.isdecimal() else 0, None) is None:
            return Answer(404, {"Message": "The action was not found."})
        return Answer(200, {})
