"""Header fields: what crosses the gateway, and which requests are refused for theirs."""

import pytest

from gateway.proxy.headers import AmbiguousRequest, answer_headers, require_unambiguous, upstream_headers


def scope(*headers: tuple[bytes, bytes], path: bytes = b"/v1/patients"):
    return {"headers": list(headers), "raw_path": path, "path": path.decode("latin-1")}


def test_only_known_fields_pass_and_the_token_replaces_the_callers():
    sent = [
        (b"authorization", b"Bearer outer"),
        (b"accept", b"application/json"),
        (b"x-praxis-roles", b"manager"),
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"host", b"praxis.example"),
        (b"content-length", b"2"),
        (b"transfer-encoding", b"chunked"),
        (b"tracestate", b"a=b"),
    ]
    passed = upstream_headers(sent, "inner", "00-1-2-01")
    assert passed == [("accept", "application/json"), ("authorization", "Bearer inner"), ("traceparent", "00-1-2-01")]


def test_fields_of_the_inner_hop_stay_inside():
    answered = [
        (b"Content-Type", b"text/plain"),
        (b"Connection", b"close, X-Hop"),
        (b"X-Hop", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Server", b"inner"),
        (b"Set-Cookie", b"a=b"),
        (b"ETag", b'"4"'),
    ]
    assert answer_headers(answered) == [(b"content-type", b"text/plain"), (b"etag", b'"4"')]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"2"), (b"content-length", b"2")],
        [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"content-length", b"+2")],
        [(b"content-length", b"2, 2")],
        [(b"content-length", b"")],
        [(b"host", b"a"), (b"host", b"b")],
        [(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")],
        [(b"idempotency-key", b"a"), (b"idempotency-key", b"b")],
    ],
)
def test_fields_that_can_be_read_in_two_ways_are_refused(headers):
    with pytest.raises(AmbiguousRequest):
        require_unambiguous(scope(*headers))


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/a/../b",
        b"/v1/a/.",
        b"/v1/%2e%2E/b",
        b"/v1/a%2Fb",
        b"/v1/a%5cb",
        b"/v1/a\\b",
        b"/v1//b",
        b"/v1/a%00",
        b"/v1/\xff",
        b"/v1/a b",
    ],
)
def test_paths_that_can_be_resolved_in_two_ways_are_refused(path):
    with pytest.raises(AmbiguousRequest):
        require_unambiguous(scope(path=path))


@pytest.mark.parametrize("path", [b"/v1/patients", b"/v1/patients/", b"/v1/lots/A%20b.c..d", b"/v1/x/@:!$&'()*+,;=~"])
def test_plain_requests_pass(path):
    require_unambiguous(scope((b"content-length", b"12"), (b"accept", b"a"), (b"accept", b"b"), path=path))
    require_unambiguous(scope((b"transfer-encoding", b"Chunked"), path=path))
