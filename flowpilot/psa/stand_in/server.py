"""Serves a stand-in on loopback, by a thread for each request."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flowpilot.psa.stand_in.wsgi import StandIn

HOST = "127.0.0.1"  # and nowhere else: its administration asks for no password


class Handler(WSGIRequestHandler):
    timeout = 60  # seconds that a silent connection may stay

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the ledger has every request."""

    def get_stderr(self) -> Any:
        return _Quiet()


class _Quiet:
    """Where wsgiref would print that somebody hung up."""

    def write(self, text: str) -> None: ...

    def flush(self) -> None: ...


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        """Without the look-up of the host's name, which takes seconds on some machines."""
        self.server_name, self.server_port = HOST, 0
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart finds its port free
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_port = self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hung up meanwhile is not worth a traceback."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}"


def make_server(stand_in: StandIn, port: int = 0) -> Server:
    server = Server((HOST, port), Handler)
    server.set_app(stand_in)
    return server


@contextmanager
def serving(stand_in: StandIn, port: int = 0) -> Iterator[str]:
    """Its address, while it is served by a thread."""
    server = make_server(stand_in, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        stand_in.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
