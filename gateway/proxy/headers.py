"""Which header fields cross the gateway, and which requests are refused for theirs."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from praxis.kit.problems import FieldError, Malformed

Headers = Iterable[tuple[bytes, bytes]]

PASSED_IN: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"content-encoding",
        b"content-type",
        b"idempotency-key",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-unmodified-since",
        b"prefer",
        b"range",
    }
)
"""All that a service gets to see of a caller's header fields. Identity, forwarding and hop-by-hop fields are not among them."""

KEPT_BACK: Final = frozenset(
    {
        b"connection",
        b"date",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"server",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields of an answer that belong to the inner hop. Source: RFC 9110 section 7.6.1."""

SENT_ONCE: Final = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"if-match",
        b"transfer-encoding",
    }
)
"""Fields that two readers could understand differently when they come twice."""

_SEGMENT_TRICK: Final = re.compile(rb"%(?:2f|5c|00)|\\|//|[\x00-\x20\x7f-\xff]", re.IGNORECASE)
_DOTS: Final = (b".", b"..")


class AmbiguousRequest(Malformed):
    """Two readers could understand the request differently: the way requests are smuggled past a gateway."""

    code = "ambiguous-request"
    title = "The request can be read in more than one way"


def require_unambiguous(scope: Scope) -> None:
    """Refuse doubled fields, two lengths, and paths that another reader could resolve elsewhere. Source: RFC 9112 section 6.3."""
    seen: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in SENT_ONCE and name in seen:
            _refuse(f"header:{name.decode('latin-1')}", "Send this field once.")
        seen[name] = value
    if b"content-length" in seen and b"transfer-encoding" in seen:
        _refuse("header:content-length", "Send Content-Length or Transfer-Encoding, not both.")
    if not re.fullmatch(rb"\d{1,18}", seen.get(b"content-length", b"0")):
        _refuse("header:content-length", "Send the number of octets in decimal digits.")
    if seen.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        _refuse("header:transfer-encoding", "Only chunked is understood.")
    _require_plain_path(scope.get("raw_path") or scope["path"].encode())


def upstream_headers(headers: Headers, token: str, traceparent: str) -> list[tuple[str, str]]:
    """Return the fields for the inner hop: the caller's harmless ones, who asks (a token for one service), and the trace."""
    passed = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers if name in PASSED_IN]
    return [*passed, ("authorization", f"Bearer {token}"), ("traceparent", traceparent)]


def answer_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the fields of a service's answer that the caller gets, names in lower case."""
    lowered = [(name.lower(), value) for name, value in headers]
    named = {part.strip().lower() for name, value in lowered if name == b"connection" for part in value.split(b",")}
    return [(name, value) for name, value in lowered if name not in KEPT_BACK and name not in named]


def _require_plain_path(raw_path: bytes) -> None:
    segments = (unquote_to_bytes(segment) for segment in raw_path.split(b"/"))
    if _SEGMENT_TRICK.search(raw_path) or any(segment in _DOTS for segment in segments):
        _refuse("path", "Send a plain path: no empty or dotted segments, no encoded slashes.")


def _refuse(pointer: str, advice: str) -> None:
    raise AmbiguousRequest(errors=[FieldError(pointer, "unambiguous", advice)])
