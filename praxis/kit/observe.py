"""What a process tells about itself: log lines, traces and metrics, without anything that patients or staff confided.

Logs are built from an allow-list. An event is a constant slug (`log.warning("relay-restarts", error=error)`); a field
comes through only when its name is in `LOG_FIELDS` and its value is an id, code, time, quantity or amount; exceptions
are told by type and place, not by message. What is held back is counted, in the line as `dropped` and in
`praxis_log_fields_dropped_total`.
"""

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from time import perf_counter
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import clear_contextvars, merge_contextvars
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

MASKED: Final = "***"

_IDS_CODES_TIMES_QUANTITIES = """
    practice_id principal_id principal_kind location_id
    operation method route status status_class duration_ms waited_ms retry_after upstream
    event_id subject stream publisher consumer sequence producersequence revision correlation_id causation_id lag_ms
    job job_id due_at started_at count rows pending attempt attempts limit
    profile role version migration database port pid signal worker key_id failpoint
    code error logger
"""
LOG_FIELDS: Final = frozenset(_IDS_CODES_TIMES_QUANTITIES.split())

_SLUG = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*")
_CODE = re.compile(r"\S{0,200}")
_PLACES = 8
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Trace:
    """Where we are in a story that may cross services: 32 and 16 lower case hex digits. Source: W3C Trace Context."""

    trace_id: str
    span_id: str


_trace: ContextVar[Trace | None] = ContextVar("praxis_trace", default=None)


def start_trace(traceparent: str | None) -> Trace:
    """Go on with the caller's trace under a span of our own, or begin one when there is none or it is malformed."""
    trace = _continued(traceparent or "")
    _trace.set(trace)
    return trace


def current_trace() -> Trace:
    """Return the trace of this task, beginning one where nobody has."""
    return _trace.get() or start_trace(None)


def traceparent() -> str:
    """Return the current trace as the W3C header for the next hop, sampled."""
    trace = current_trace()
    return f"00-{trace.trace_id}-{trace.span_id}-01"


def _continued(traceparent: str) -> Trace:
    known = _TRACEPARENT.fullmatch(traceparent)
    # Version 00 ends after the flags; later versions may go on after another hyphen.
    if known is None or (known[2] is not None and traceparent.startswith("00")):
        return Trace(os.urandom(16).hex(), os.urandom(8).hex())
    return Trace(known[1], os.urandom(8).hex())


class Private(str):
    """Text that shows as `***` wherever it is printed, formatted or logged; `reveal()` gives the text itself.

    Operations of `str` (slices, joins, `+`) give plain text again.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return MASKED

    def __str__(self) -> str:
        return MASKED

    def __format__(self, spec: str) -> str:
        return MASKED

    def reveal(self) -> str:
        """Return the plain text."""
        return str.__str__(self)


def configure(service: str, profile: str) -> None:
    """Send all logs of this process to stderr: JSON lines, or colours at a terminal in the profile `development`.

    Loggers of the standard library (uvicorn, asyncpg, nats) and warnings are told by logger, level and exception from
    WARNING on, without their messages, which carry values. Start uvicorn with `log_config=None`, or it installs
    handlers of its own again.
    """
    is_watched = profile == "development" and sys.stderr.isatty()
    structlog.configure(
        processors=[
            merge_contextvars,
            _keep_allowed,
            _named_after(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if is_watched else structlog.processors.JSONRenderer(_json_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _route_foreign_loggers()


class _Foreign(logging.Handler):
    """Retells a record of the standard library without its message."""

    def emit(self, record: logging.LogRecord) -> None:
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        log.log(level, "foreign-logger", logger=record.name, exc_info=record.exc_info)


def _route_foreign_loggers() -> None:
    logging.basicConfig(handlers=[_Foreign()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    for logger in list(logging.Logger.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.propagate = True


def _keep_allowed(_: WrappedLogger, __: str, given: EventDict) -> EventDict:
    event, error = given.pop("event", ""), _raised(given.pop("exc_info", None))
    kept = {name: _shown(value) for name, value in given.items() if name in LOG_FIELDS and _is_plain(value)}
    line: EventDict = {"event": event if _is_slug(event) else "unnamed", **kept}
    if error is not None:
        line.update(error=type(error).__name__, where=_places(error.__traceback__))
    if dropped := len(given) - len(kept) + (line["event"] != event):
        line["dropped"] = dropped
        _dropped.inc(dropped)
    return line


def _raised(exc_info: Any) -> BaseException | None:
    given = sys.exc_info() if exc_info is True else exc_info
    error = given[1] if isinstance(given, tuple) else given
    return error if isinstance(error, BaseException) else None


def _is_plain(value: object) -> bool:
    # A text with white space in it is somebody's words, not a code.
    if isinstance(value, str) and not isinstance(value, Private):
        return _CODE.fullmatch(value) is not None
    return value is None or isinstance(value, (Private, int, float, UUID, date, BaseException))


def _is_slug(event: object) -> bool:
    return isinstance(event, str) and _SLUG.fullmatch(event) is not None


def _shown(value: object) -> object:
    if isinstance(value, BaseException):
        return type(value).__name__
    return value if value is None or isinstance(value, (int, float)) else str(value)


def _places(frames: TracebackType | None) -> str:
    walked = [f"{frame.f_globals.get('__name__')}:{line}" for frame, line in traceback.walk_tb(frames)]
    return " > ".join(walked[-_PLACES:])


def _named_after(service: str) -> Processor:
    def add_origin(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        line["service"] = service
        if trace := _trace.get():
            line.update(trace_id=trace.trace_id, span_id=trace.span_id)
        return line

    return add_origin


def _json_line(line: EventDict, **_: Any) -> str:
    return json.dumps(line, separators=(",", ":"))


REGISTRY: Final = CollectorRegistry()


def counter(name: str, text: str, labels: Sequence[str] = ()) -> Counter:
    """Register a counter, once, at module level; labels take a bounded set of words, never ids."""
    return Counter(name, text, labels, registry=REGISTRY)


def gauge(name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
    """Register a gauge; see `counter`."""
    return Gauge(name, text, labels, registry=REGISTRY)


def histogram(
    name: str, text: str, labels: Sequence[str] = (), buckets: Sequence[float] = Histogram.DEFAULT_BUCKETS
) -> Histogram:
    """Register a histogram, by default with buckets for seconds from 5 ms to 10 s; see `counter`."""
    return Histogram(name, text, labels, registry=REGISTRY, buckets=buckets)


def metrics_response() -> bytes:
    """Return every metric of this process as Prometheus reads it, of type `prometheus_client.CONTENT_TYPE_LATEST`."""
    return generate_latest(REGISTRY)


_dropped = counter("praxis_log_fields_dropped", "Log fields and event names held back by the allow-list")
_requests = counter("praxis_http_requests", "Requests answered", ("method", "route", "status_class"))
_seconds = histogram("praxis_http_request_seconds", "From request to the end of its answer", ("method", "route"))


class ObserveMiddleware:
    """Outermost ASGI layer: goes on with the caller's trace, answers with `x-trace-id`, counts and times by route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything but HTTP passes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        clear_contextvars()
        trace = _continued(dict(scope["headers"]).get(b"traceparent", b"").decode("latin-1"))
        token, status, started = _trace.set(trace), 500, perf_counter()

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": _with_trace(message.get("headers", ()), trace)}
            await send(message)

        try:
            await self._app(scope, receive, send_traced)
        finally:
            _count(scope, status, perf_counter() - started)
            _trace.reset(token)


def _with_trace(headers: Sequence[tuple[bytes, bytes]], trace: Trace) -> list[tuple[bytes, bytes]]:
    # An answer passed on from a service already has the header.
    return [*(header for header in headers if header[0] != b"x-trace-id"), (b"x-trace-id", trace.trace_id.encode())]


def _count(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in _METHODS else "other"
    requests, timings = _meters(method, _route_template(scope), status // 100)
    requests.inc()
    timings.observe(seconds)


@lru_cache(maxsize=4096)
def _meters(method: str, route: str, status_class: int) -> tuple[Counter, Histogram]:
    # Looking labels up takes a lock and costs more than counting does.
    return _requests.labels(method, route, f"{status_class}xx"), _seconds.labels(method, route)


def _route_template(scope: Scope) -> str:
    """Return the path as declared, such as `/v1/appointments/{appointment_id}`; `unmatched` for what no route took."""
    # FastAPI's route of an included router lacks the prefix it was included under; its own context has the whole path.
    included = scope.get("fastapi", {}).get("effective_route_context")
    if included is not None:
        path = getattr(included.starlette_route or included, "path", None)
    elif "route" in scope:
        path = getattr(scope["route"], "path", None)
    else:
        path = _declared_path(scope.get("app"), scope.get("endpoint"))
    return path or "unmatched"


@lru_cache(maxsize=1024)
def _declared_path(app: Any, endpoint: Any) -> str | None:
    # Plain Starlette routes and mounts inside a FastAPI app leave only their endpoint behind.
    for route in getattr(app, "routes", ()):
        if endpoint is not None and getattr(route, "endpoint", getattr(route, "app", None)) is endpoint:
            return str(route.path)
    return None
