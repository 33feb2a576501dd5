"""What both stand-ins share: requests and answers over WSGI, faults on demand, the ledger, and their administration."""

import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote
from wsgiref.types import StartResponse, WSGIEnvironment

from flowpilot.psa.stand_in.faults import Fault, Faults
from flowpilot.psa.stand_in.ledger import Ledger

Clock = Callable[[], datetime]
LARGEST_BODY = 2_000_000  # bytes


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Request:
    """path: behind the API's root. hide_newest: how many of the newest rows a list leaves out."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    host: str
    hide_newest: int = 0

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class Answer:
    status: int
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    @property
    def body(self) -> bytes:
        if self.status == 204:
            return b""
        return self.value if isinstance(self.value, bytes) else json.dumps(self.value).encode()


class Refused(Exception):
    """Ends the handling of a request with this answer; nothing was changed."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class StandIn(ABC):
    """A WSGI application; one request is handled at a time, whoever waits in a fault holds nobody up.

    clock: given by tests, so that what is due later comes without waiting for it. hanging: one more for each request
    that is left without an answer from now on, so that they need not wait for that either.
    """

    def __init__(self, *, clock: Clock = system_clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.hanging = threading.Semaphore(0)
        self.faults = Faults()
        self.ledger = Ledger()
        self._late: list[tuple[float, Request]] = []

    # Given by each stand-in.

    @abstractmethod
    def route(self, path: str) -> str:
        """The path behind the API's root, by which faults are matched."""

    @abstractmethod
    def handle(self, request: Request) -> Answer: ...

    @abstractmethod
    def fault_answer(self, fault: Fault, request: Request) -> Answer:
        """How this ticket system puts it."""

    def reset(self) -> None:
        """As it was when it started."""
        self.faults.clear()
        self.ledger.clear()
        self._late.clear()

    @abstractmethod
    def seed_more(self, tickets: list[dict[str, Any]]) -> None: ...

    @abstractmethod
    def switch(self, name: str, on: bool) -> None: ...

    # What happens to a request.

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = _request(environ)
        with self.lock:
            self._commit_what_is_due()
        if request.path.startswith("/__admin/"):
            return _send(self._administer(request), start_response)
        routed = replace(request, path=self.route(request.path))
        with self.lock:
            fault = self.faults.take(routed.method, routed.path)
            entry = self.ledger.note(self.clock(), routed.method, routed.path, fault.name if fault else "")
        answer = self._handled(request) if fault is None else self._with_fault(fault, request)
        entry["status"] = answer.status
        return _send(answer, start_response)

    def _handled(self, request: Request) -> Answer:
        with self.lock:
            try:
                return self.handle(request)
            except Refused as refused:
                return refused.answer

    def _with_fault(self, fault: Fault, request: Request) -> Answer:
        """Raises ConnectionAbortedError to close the connection without an answer: the server swallows it."""
        if fault.commits:
            done = self._handled(request)
            return done if done.status >= 400 else self._botched(fault, request, done)
        if fault.name == "slow":
            self.stopping.wait(fault.delay)
            return self._handled(request)
        if fault.name == "stale_reads":
            return self._handled(replace(request, hide_newest=fault.rows))
        if fault.name == "late_commit":
            with self.lock:
                self._late.append((self.clock().timestamp() + fault.delay, request))
            self._hang()
        if fault.name == "timeout_before_commit":
            self._hang()
        return self.fault_answer(fault, request)

    def _botched(self, fault: Fault, request: Request, done: Answer) -> Answer:
        """How the answer to what was carried out gets lost."""
        if fault.name == "timeout_after_commit":
            self._hang()
        if fault.name == "close_after_commit":
            raise ConnectionAbortedError
        if fault.name == "partial_body":
            return replace(done, headers={**done.headers, "Content-Length": str(len(done.body) + 400)})
        if fault.name == "200_without_id":
            return Answer(200, {})
        return self.fault_answer(fault, request)

    def _hang(self) -> None:
        """Until the server is stopped; whoever asked has given up long before."""
        self.hanging.release()
        self.stopping.wait(600)
        raise ConnectionAbortedError

    def _commit_what_is_due(self) -> None:
        now = self.clock().timestamp()
        due = sorted((late for late in self._late if late[0] <= now), key=lambda late: late[0])
        self._late = [late for late in self._late if late[0] > now]
        for _, request in due:
            self._handled(request)

    def _administer(self, request: Request) -> Answer:
        given = request.json() if request.body else {}
        act = (request.method, request.path.removeprefix("/__admin/"))
        with self.lock:
            try:
                if act == ("POST", "faults"):
                    self.faults.add(Fault.from_json(given))
                elif act == ("POST", "reset"):
                    self.reset()
                elif act == ("POST", "seed"):
                    self.seed_more(given["tickets"])
                elif act == ("POST", "switches"):
                    for name, on in given.items():
                        self.switch(name, bool(on))
                elif act == ("GET", "ledger"):
                    return Answer(200, self.ledger.as_json())
                else:
                    return Answer(404, {"detail": "There is no such act."})
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                return Answer(422, {"detail": f"{type(error).__name__}: {error}"})
        return Answer(200, {"done": True})


def _request(environ: WSGIEnvironment) -> Request:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        path=unquote(str(environ.get("PATH_INFO", ""))),
        query=dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)),
        headers=headers,
        body=environ["wsgi.input"].read(min(length, LARGEST_BODY)) if length > 0 else b"",
        host=re.sub(r":\d+$", "", headers.get("host", "")),
    )


def _send(answer: Answer, start_response: StartResponse) -> list[bytes]:
    reason = {200: "OK", 201: "Created", 204: "No Content"}.get(answer.status, "Answer")
    headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
    start_response(f"{answer.status} {reason}", list((headers | answer.headers).items()))
    return [answer.body]
