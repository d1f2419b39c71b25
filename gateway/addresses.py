"""Where a request comes from: its peer, or what a trusted proxy says of its own peer."""

from ipaddress import ip_address

from starlette.types import Scope

from gateway.public import address_of
from gateway.settings import Networks

FORWARDING = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


def place_caller(scope: Scope, trusted: Networks) -> None:
    """Put the last hop of X-Forwarded-For in the place of a peer that is a trusted proxy.

    The proxy itself wrote that hop; those before it are whatever the caller sent. Anything but an address leaves the peer.
    """
    if not (trusted and _is_within(address_of(scope), trusted)):
        return
    hops = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    last = hops[-1].rsplit(b",", 1)[-1].strip().decode("latin-1") if hops else ""
    if _is_address(last):
        scope["client"] = (last, 0)


def is_local(scope: Scope) -> bool:
    """Tell whether a program of this machine asks for itself: a loopback peer that passes nobody else's request on."""
    peer = address_of(scope)
    is_loopback = _is_address(peer) and ip_address(peer).is_loopback
    return is_loopback and not any(name in FORWARDING for name, _ in scope["headers"])


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_within(text: str, blocks: Networks) -> bool:
    return _is_address(text) and any(ip_address(text) in block for block in blocks)
