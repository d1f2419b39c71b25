"""Where a request comes from, and whom the settings trust to tell."""

import pytest

from gateway.addresses import is_local, place_caller
from gateway.public import address_of
from gateway.settings import GatewaySettings, networks

TRUSTED = networks("10.0.0.0/8, 2001:db8::/32")


def asked(peer: str, *fields: tuple[bytes, bytes]):
    return {"type": "http", "client": (peer, 4711), "headers": list(fields)}


@pytest.mark.parametrize(
    ("peer", "sent", "address"),
    [
        ("10.1.2.3", [b"198.51.100.7"], "198.51.100.7"),
        ("10.1.2.3", [b"203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.1.2.3", [b"203.0.113.9", b"198.51.100.7"], "198.51.100.7"),
        ("2001:db8::1", [b"2001:db8:1::7"], "2001:db8:1::7"),
        ("10.1.2.3", [b"somebody"], "10.1.2.3"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("192.0.2.1", [b"198.51.100.7"], "192.0.2.1"),
        ("a socket", [b"198.51.100.7"], "a socket"),
    ],
)
def test_the_last_hop_is_believed_from_a_trusted_proxy_alone(peer, sent, address):
    scope = asked(peer, *((b"x-forwarded-for", value) for value in sent))
    place_caller(scope, TRUSTED)
    assert address_of(scope) == address


def test_no_proxy_is_trusted_unless_the_settings_name_it(monkeypatch):
    for service in ("SCHEDULING", "INVENTORY", "STAFF", "BILLING"):
        monkeypatch.setenv(f"PRAXIS_{service}_URL", "http://127.0.0.1:1")
    assert (GatewaySettings.load().trusted_proxies, GatewaySettings.load().metrics_open) == ((), False)
    monkeypatch.setenv("PRAXIS_GATEWAY_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32")
    assert GatewaySettings.load().trusted_proxies == TRUSTED


@pytest.mark.parametrize(
    ("scope", "local"),
    [
        (asked("127.0.0.1"), True),
        (asked("::1"), True),
        (asked("192.0.2.1"), False),
        (asked("127.0.0.1", (b"x-forwarded-for", b"127.0.0.1")), False),
        (asked("127.0.0.1", (b"forwarded", b"for=198.51.100.7")), False),
        ({"type": "http", "headers": []}, False),
    ],
)
def test_only_a_program_of_this_machine_that_asks_for_itself_is_local(scope, local):
    assert is_local(scope) is local
