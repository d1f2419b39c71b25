"""Tell whether a server of this machine answers."""

import http.client
import socket
import time
from collections.abc import Callable

Probe = Callable[[], bool]
"""Answers whether a program is ready now: called from a thread every 50 ms, takes a second at most, never raises."""

POLL = 0.05  # seconds


def tcp_ready(port: int, greeting: bytes = b"") -> Probe:
    """Return a probe: connections to `port` of 127.0.0.1 are accepted and, where given, begin with `greeting`."""

    def probe() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                return connection.recv(len(greeting)) == greeting if greeting else True
        except OSError:
            return False

    return probe


def http_ready(port: int, path: str) -> Probe:
    """Return a probe: GET `path` on 127.0.0.1 answers 200. No proxy of the environment is asked."""

    def probe() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def wait_until(probe: Probe, deadline: float) -> bool:
    """Ask a probe until it agrees; return False when it has not within `deadline` seconds. Blocks its thread."""
    end = time.monotonic() + deadline
    while not (ready := probe()) and time.monotonic() < end:
        time.sleep(POLL)
    return ready
