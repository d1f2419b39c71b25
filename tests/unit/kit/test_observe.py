import asyncio
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import structlog
from asyncpg.pgproto.pgproto import UUID as DriverUUID
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bind_contextvars, clear_contextvars

from praxis.kit import observe
from praxis.kit.observe import MASKED, REGISTRY, Private, Trace, configure, current_trace, log, start_trace, traceparent

PRACTICE = UUID("0190f3a0-0000-7000-8000-000000000001")
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _own_trace() -> Iterator[None]:
    token = observe._trace.set(None)
    yield
    observe._trace.reset(token)
    clear_contextvars()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level, show = root.handlers[:], root.level, warnings.showwarning
    configure("scheduling", "production")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:], warnings.showwarning = handlers, show
    root.setLevel(level)


def test_a_line_says_when_where_what_and_in_which_trace(lines: Lines) -> None:
    start_trace(PARENT)
    log.warning("relay-restarts", attempt=3, practice_id=PRACTICE)
    (line,) = lines()
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert line == {
        "event": "relay-restarts",
        "attempt": 3,
        "practice_id": str(PRACTICE),
        "service": "scheduling",
        "level": "warning",
        "trace_id": current_trace().trace_id,
        "span_id": current_trace().span_id,
    }


def test_without_a_trace_a_line_has_none_and_begins_none(lines: Lines) -> None:
    log.info("ready")
    assert "trace_id" not in lines()[0]
    assert observe._trace.get() is None


def test_a_field_that_is_not_on_the_list_is_dropped_and_counted(lines: Lines) -> None:
    before = REGISTRY.get_sample_value("praxis_log_fields_dropped_total")
    log.info("appointment-booked", patient_name="Jane Roe", note="allergic", code="booked")
    (line,) = lines()
    assert (line["code"], line["dropped"]) == ("booked", 2)
    assert not {"patient_name", "note"} & line.keys()
    assert "Roe" not in str(line)
    assert REGISTRY.get_sample_value("praxis_log_fields_dropped_total") == before + 2


def test_bound_fields_obey_the_list_too(lines: Lines) -> None:
    bind_contextvars(practice_id=PRACTICE, patient_name="Jane Roe")
    log.info("ready")
    (line,) = lines()
    assert (line["practice_id"], line["dropped"]) == (str(PRACTICE), 1)
    assert "patient_name" not in line


@pytest.mark.parametrize(
    "value", ["Jane Roe", "Roe\n", "x" * 201, ["Roe"], {"name": "Roe"}, ("Roe",), b"Roe", object(), Decimal("1.5")]
)
def test_a_listed_field_holds_no_words_and_nothing_nested(lines: Lines, value: object) -> None:
    log.info("ready", code=value)
    (line,) = lines()
    assert "code" not in line
    assert line["dropped"] == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("slot-taken", "slot-taken"),
        (7, 7),
        (0.5, 0.5),
        (True, True),
        (None, None),
        (PRACTICE, str(PRACTICE)),
        (DriverUUID(str(PRACTICE)), str(PRACTICE)),
        (datetime(2026, 7, 1, tzinfo=UTC), "2026-07-01 00:00:00+00:00"),
        (Private("Jane"), MASKED),
        (ValueError("Jane Roe"), "ValueError"),
        ("\ud800", "\ud800"),
    ],
)
def test_ids_codes_times_and_quantities_are_shown(lines: Lines, value: object, shown: object) -> None:
    log.info("ready", code=value)
    assert lines()[0]["code"] == shown


@pytest.mark.parametrize("event", ["Jane Roe booked", "patient %s", "", "x\ny", None])
def test_an_event_that_is_no_slug_is_not_told(lines: Lines, event: Any) -> None:
    log.info(event)
    (line,) = lines()
    assert (line["event"], line["dropped"]) == ("unnamed", 1)


def test_an_exception_is_told_by_type_and_place_without_its_message(lines: Lines) -> None:
    try:
        json.loads("Jane Roe")
    except ValueError:
        log.exception("import-failed")
    (line,) = lines()
    assert line["error"] == "JSONDecodeError"
    places = line["where"].split(" > ")
    assert places[0].startswith(f"{__name__}:")
    assert places[-1].startswith("json.decoder:")
    assert "Jane" not in str(line)
    assert "dropped" not in line


@pytest.mark.parametrize("exc_info", [None, False, True, (None, None, None)])
def test_no_exception_no_error(lines: Lines, exc_info: Any) -> None:
    log.warning("ready", exc_info=exc_info)
    assert not {"error", "where", "exc_info"} & lines()[0].keys()


def test_foreign_loggers_are_told_by_name_level_and_exception_type_only(lines: Lines) -> None:
    try:
        int("Jane Roe")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed for %s", "Jane Roe", extra={"code": "Jane"})
    logging.getLogger("asyncpg").log(35, "query: Jane Roe")
    failed, query = lines()
    assert "Jane" not in str([failed, query])
    assert (failed["logger"], failed["level"], failed["error"]) == ("uvicorn.error", "error", "ValueError")
    assert (query["logger"], query["level"]) == ("asyncpg", "warning")
    assert query.keys() == {"event", "logger", "service", "level", "timestamp"}


def test_foreign_chatter_below_warning_is_not_told(lines: Lines) -> None:
    logging.getLogger("uvicorn.access").info("GET /v1/patients?name=Roe")
    log.debug("ready")
    assert lines() == []


def test_handlers_installed_before_are_taken_away(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    early = logging.getLogger("test.early")
    early.addHandler(logging.StreamHandler(sys.stderr))
    early.propagate = False
    configure("scheduling", "production")
    early.error("Jane Roe")
    (line,) = lines()
    assert (line["logger"], line["event"]) == ("test.early", "foreign-logger")


def test_a_warning_is_told_without_its_text(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure("scheduling", "production")
        warnings.warn("Jane Roe", stacklevel=1)
    (line,) = lines()
    assert line["logger"] == "py.warnings"
    assert "Jane" not in str(line)


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("profile", "is_tty", "start"),
    [("development", True, "\x1b["), ("development", False, "{"), ("production", True, "{")],
)
def test_colours_are_for_people_in_development(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, profile: str, is_tty: bool, start: str
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_tty)
    configure("scheduling", profile)
    log.info("ready", code="x", patient_name="Roe")
    text = capsys.readouterr().err
    assert text.startswith(start)
    assert "ready" in text
    assert "Roe" not in text


def test_private_text_does_not_show_but_works() -> None:
    name = Private("Jane")
    assert [str(name), repr(name), f"{name}", f"{name:>10}", f"{name!r}", str([name])] == [
        *[MASKED] * 5,
        f"[{MASKED}]",
    ]
    assert name == "Jane"
    assert type(name.reveal()) is str
    assert name.reveal() == "Jane"


def test_a_caller_s_trace_goes_on_under_a_span_of_our_own() -> None:
    trace = start_trace(PARENT)
    assert trace == current_trace()
    assert trace.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert trace.span_id != "00f067aa0ba902b7"
    assert traceparent() == f"00-{trace.trace_id}-{trace.span_id}-01"


def test_a_later_version_with_more_parts_goes_on_too() -> None:
    assert start_trace("cc" + PARENT[2:] + "-what-follows").trace_id == PARENT[3:35]


@pytest.mark.parametrize(
    "malformed",
    [None, "", "x", PARENT.upper(), PARENT[:-1], PARENT + "-more", PARENT + "0", "ff" + PARENT[2:], PARENT + "\n",
     " " + PARENT, PARENT.replace("-", "_"), f"00-{'0' * 32}-00f067aa0ba902b7-01",
     f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01"],
)  # fmt: skip
def test_a_malformed_parent_begins_a_new_trace(malformed: str | None) -> None:
    trace = start_trace(malformed)
    assert trace.trace_id not in (malformed or "").lower()
    assert start_trace(traceparent()).trace_id == trace.trace_id


@given(st.text())
def test_any_parent_gives_a_trace_that_the_next_hop_takes(text: str) -> None:
    trace = start_trace(text)
    assert start_trace(traceparent()).trace_id == trace.trace_id


def test_a_trace_begins_where_nobody_began_one_and_stays() -> None:
    assert current_trace() == current_trace()


async def _trace_of_a_task(parent: str | None) -> Trace:
    start_trace(parent)
    await asyncio.gather(*(asyncio.to_thread(current_trace) for _ in range(3)))
    return current_trace()


async def test_tasks_do_not_share_a_trace() -> None:
    mine, theirs = await asyncio.gather(_trace_of_a_task(PARENT), _trace_of_a_task(None))
    assert mine.trace_id == PARENT[3:35]
    assert theirs.trace_id != mine.trace_id


def test_metrics_are_told_as_prometheus_reads_them() -> None:
    observe.counter("praxis_test_sales", "Test", ["kind"]).labels("cash").inc(2)
    observe.gauge("praxis_test_depth", "Test").set(7)
    observe.histogram("praxis_test_seconds", "Test", buckets=[1, 2]).observe(1.5)
    told = observe.metrics_response().decode().splitlines()
    assert {'praxis_test_sales_total{kind="cash"} 2.0', "praxis_test_depth 7.0"} <= set(told)
    assert {'praxis_test_seconds_bucket{le="1.0"} 0.0', 'praxis_test_seconds_bucket{le="2.0"} 1.0'} <= set(told)
