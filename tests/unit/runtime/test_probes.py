import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from praxis.runtime.probes import http_ready, tcp_ready, wait_until
from praxis.runtime.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def health() -> Iterator[HTTPServer]:
    """A server that is healthy on /healthz only, and counts for nothing in a proxy's place."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 503)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_http_is_ready_when_the_path_answers_200(
    health: HTTPServer, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{state.claim_port('nobody')}")
    assert http_ready(health.server_port, "/healthz")()
    assert not http_ready(health.server_port, "/readyz")()
    assert not http_ready(state.ports["nobody"], "/healthz")()


@pytest.mark.parametrize(("greeting", "ready"), [(b"", True), (b"INFO ", True), (b"HELO ", False)])
def test_tcp_is_ready_when_the_expected_greeting_comes(greeting: bytes, ready: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"INFO {}\r\n")

        greeter = threading.Thread(target=greet)
        greeter.start()
        assert tcp_ready(server.getsockname()[1], greeting)() is ready
        greeter.join()


def test_tcp_is_not_ready_where_nobody_listens(state: State) -> None:
    assert not tcp_ready(state.claim_port("nobody"))()


def test_waiting_for_a_probe_ends_with_its_agreement_or_the_deadline() -> None:
    answers = iter([False, True])
    assert wait_until(lambda: next(answers), deadline=60)
    assert not wait_until(lambda: False, deadline=0)
