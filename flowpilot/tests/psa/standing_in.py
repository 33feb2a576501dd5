"""Stand-ins for ticket systems in tests: over real HTTP, by a clock that only the test moves."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx

from flowpilot.psa.providers import make_provider
from flowpilot.psa.providers.connectwise.api import known_codebases
from flowpilot.psa.stand_in import halopsa, seed
from flowpilot.psa.stand_in.connectwise import ConnectWiseStandIn
from flowpilot.psa.stand_in.halopsa import HaloStandIn
from flowpilot.psa.stand_in.server import serving

CONNECTWISE_KEYS = {
    "company_id": seed.COMPANY_ID,
    "public_key": seed.PUBLIC_KEY,
    "private_key": seed.PRIVATE_KEY,
}
HALO_KEYS = {
    "tenant": halopsa.TENANT,
    "client_id": halopsa.CLIENT_ID,
    "client_secret": halopsa.CLIENT_SECRET,
}


class HandClock:
    def __init__(self, now=datetime(2026, 1, 5, 15, 0, tzinfo=UTC)):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, **by):
        self.now += timedelta(**by)


class Impatient(httpx.HTTPTransport):
    """Gives up at once where the stand-in will not answer, once it has done what it does before that; is patient enough
    for a busy machine where it will."""

    def __init__(self, app):
        super().__init__(verify=False)  # without certificates, whose reading takes longer than most tests
        self.app = app

    def handle_request(self, request):
        fault = self.app.faults.next_of(request.method, self.app.route(request.url.path))
        hangs = fault is not None and fault.hangs
        request.extensions["timeout"] = {
            "connect": 10,
            "read": 0.01 if hangs else 20,
            "write": 10,
            "pool": 10,
        }
        try:
            return super().handle_request(request)
        except httpx.ReadTimeout:
            assert self.app.hanging.acquire(timeout=20)
            raise


def client(app):
    return httpx.Client(transport=Impatient(app), trust_env=False)


class Standing:
    """A stand-in that is being served: its `url`, its `app` with tables and ledger, its `clock`."""

    def __init__(self, app, url, clock, key, credentials):
        self.app, self.url, self.clock = app, url, clock
        self.key, self.credentials = key, credentials
        self.http = client(app)

    def provider(self, *, http=None, base_url=None, **credentials):
        return make_provider(
            self.key,
            base_url=base_url or self.url,
            credentials=self.credentials | credentials,
            http=http or self.http,
        )

    def fail(self, fault, *, method="*", path="*", **more):
        self.admin("faults", {"match": {"method": method, "path": path}, "fault": fault, **more})

    def admin(self, act, given=None):
        answer = self.http.post(f"{self.url}/__admin/{act}", json=given or {})
        assert answer.status_code == 200, answer.text

    def ledger(self):
        return self.http.get(f"{self.url}/__admin/ledger").json()

    def commits(self):
        return self.ledger()["commits"]


@contextmanager
def standing(app_class, key, credentials, **options):
    known_codebases.clear()  # of a server that had the same port
    clock = HandClock()
    app = app_class(clock=clock, **options)
    with serving(app) as url:
        stand_in = Standing(app, url, clock, key, credentials)
        try:
            yield stand_in
        finally:
            stand_in.http.close()


def connectwise(**options):
    return standing(ConnectWiseStandIn, "connectwise", CONNECTWISE_KEYS, **options)


def halo():
    return standing(HaloStandIn, "halopsa", HALO_KEYS)
