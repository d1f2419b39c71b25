"""Keyset pages: a cursor holds the sort values of the last row, signed so that nobody asks for other ones.

A query asks for `limit + 1` rows after the cursor; the extra row only tells that there is a next page.
"""

import base64
import json
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from fastapi import Query
from pydantic import BaseModel

from praxis.kit.problems import FieldError, Malformed
from praxis.kit.secrets import Keyring

T = TypeVar("T")

DEFAULT_LIMIT = 50
Limit = Annotated[int, Query(ge=1, le=200)]

_MAC_BYTES = 16


class BadCursor(Malformed):
    """The cursor was not made here, for this route, or arrived changed."""

    code = "bad-cursor"
    title = "This cursor is not one of ours"

    def __init__(self) -> None:
        super().__init__(
            "Send the cursor exactly as the previous page of this list gave it, or none to start at the first page.",
            errors=[FieldError("query:cursor", "cursor", "send the previous page's cursor unchanged, or none")],
        )


class Page(BaseModel, Generic[T]):
    """One page of a list in its order; `next` is the cursor of the following page, null on the last one."""

    items: list[T]
    next: str | None = None


def encode(keyring: Keyring, route: str, values: Sequence[str | int]) -> str:
    """Return the cursor after the row with these sort values (text, integers, times as ISO text).

    `route` is the operation id, plus the sort order where a list has several. Whoever holds the cursor can read the
    values: ids, codes and times, never names.
    """
    payload = json.dumps(list(values), separators=(",", ":")).encode()
    return _text(keyring.sign(_purpose(route), payload) + payload)


def decode(keyring: Keyring, route: str, text: str) -> tuple[str | int, ...]:
    """Return the sort values of a cursor made for this route, in the order given to `encode`; raises `BadCursor`."""
    sealed = _bytes(text)
    mac, payload = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
    if not keyring.verify(_purpose(route), payload, mac):
        raise BadCursor
    return tuple(json.loads(payload))


def link_header(url: str, cursor: str) -> str:
    """Return the value of a `Link` header: the same URL with this cursor, `rel="next"`.

    Path and query are enough (a relative reference), and right behind a proxy, where the host seen here is not the
    public one. Source: RFC 8288.
    """
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "cursor"]
    target = parts._replace(
        path=quote(parts.path, safe="/%:@!$&'()*+,;=~"), query=urlencode([*query, ("cursor", cursor)]), fragment=""
    )
    return f'<{urlunsplit(target)}>; rel="next"'


def _purpose(route: str) -> str:
    return f"cursor {route}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise BadCursor from None
    # The decoder skips foreign characters and spare bits; one cursor has one spelling.
    if _text(raw) != text:
        raise BadCursor
    return raw
