"""Time as business code gets it: an aware UTC instant handed in, and wall time only together with its IANA zone.

The wall time people meant is stored beside its instant with the zone and `tzdata_version()`, so that a change of the
zone rules can be found and told to people instead of moving their appointments silently.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NoReturn, Protocol
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from praxis.kit.problems import FieldError, Invalid

# Present on most machines, but each names something else there or nothing at all.
_NOT_A_PLACE = frozenset({"localtime", "Factory"})


class UnknownTimeZone(Invalid):
    """No IANA zone has this name."""

    code = "unknown-time-zone"
    title = "There is no such time zone"


class LocalTimeMissing(Invalid):
    """The clocks there skip this wall time; the fact `nearest` holds the last minute before the gap and its end."""

    code = "local-time-missing"
    title = "The clocks skip this time"


class LocalTimeAmbiguous(Invalid):
    """The clocks there show this wall time twice; the fact `candidates` holds both, for `fold` 0 and 1."""

    code = "local-time-ambiguous"
    title = "The clocks show this time twice"


class LocalTimeOutOfRange(Invalid):
    """The instant would lie before year 1 or after year 9999."""

    code = "local-time-out-of-range"
    title = "This time is out of range"


class Clock(Protocol):
    """Where `now` comes from: asked once per request, message or job run, then handed down."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        return datetime.now(UTC)


class StoppedClock:
    """A clock that stands at `at` until it is told to advance."""

    def __init__(self, at: datetime) -> None:
        self._at = _aware(at).astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant the clock stands at, aware and in UTC."""
        return self._at

    def advance(self, **step: float) -> datetime:
        """Move by a step given in the keywords of `timedelta` (negative moves back) and return the new instant."""
        self._at += timedelta(**step)
        return self._at


def zone(name: str) -> ZoneInfo:
    """Return the IANA zone of this exact name; raises `UnknownTimeZone`."""
    if name not in _known_zones():
        raise UnknownTimeZone(
            "Send the name of an IANA time zone, for example America/New_York.",
            errors=[FieldError("", "iana-zone", "name an IANA time zone such as America/New_York")],
        )
    return ZoneInfo(name)


_zone = zone  # for where a parameter is called `zone`


def resolve_local(wall: datetime, zone: str, *, fold: int | None = None, pointer: str = "") -> datetime:
    """Return the instant, aware UTC, at which the clocks of `zone` show the naive time `wall`.

    `fold` chooses between the first (0) and second (1) showing of a repeated time and changes nothing for other times;
    `wall.fold` is ignored. `pointer` names the field in a refusal. Raises `UnknownTimeZone`, `LocalTimeMissing`,
    `LocalTimeAmbiguous` when no `fold` is given, `LocalTimeOutOfRange`; ValueError for an aware `wall`.
    """
    first, second = _showings(wall, zone, pointer)
    if first == second:
        return first
    if first > second:
        _refuse_missing(second, first, zone, pointer)
    if fold is None:
        _refuse_ambiguous(first, second, zone, pointer)
    return second if fold else first


def to_local(at: datetime, zone: str) -> datetime:
    """Return the same instant as the clocks of `zone` show it, aware.

    Raises `UnknownTimeZone`; ValueError for a naive `at`.
    """
    return _aware(at).astimezone(_zone(zone))


def local_date(at: datetime, zone: str) -> date:
    """Return the calendar day it is in `zone` at this instant; raises as `to_local`."""
    return to_local(at, zone).date()


@cache
def tzdata_version() -> str:
    """Return the release of the zone rules in use, such as `2026a`; `unknown` where a system does not name its release.

    A system folder comes before the tzdata package, in the order in which zoneinfo itself looks.
    """
    for folder in map(Path, TZPATH):
        if (folder / "UTC").exists():
            return _release_of(folder)
    return _iana_name(metadata.version("tzdata"))


@cache
def _known_zones() -> frozenset[str]:
    # Not `ZoneInfo(name)` and its errors: that also opens right/ zones (with leap seconds) and, on some file systems,
    # names in any case.
    return frozenset(available_timezones()) - _NOT_A_PLACE


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs its offset: give an aware datetime")
    return at


def _showings(wall: datetime, name: str, pointer: str) -> tuple[datetime, datetime]:
    """Return both readings of `wall` in UTC (PEP 495): equal, or ascending when repeated, descending when skipped."""
    if wall.tzinfo is not None:
        raise ValueError("a wall time has no offset of its own: give a naive datetime")
    local = wall.replace(tzinfo=zone(name))
    try:
        return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    except OverflowError:
        error = FieldError(pointer, "local-time-in-range", "send a time between the years 1 and 9999")
        raise LocalTimeOutOfRange("Send a time between the years 1 and 9999.", errors=[error]) from None


def _refuse_missing(before: datetime, after: datetime, name: str, pointer: str) -> NoReturn:
    # The clocks jump somewhere between the two readings: at the first second with another offset than `before`.
    start, offset = before.replace(microsecond=0), to_local(before, name).utcoffset()
    seconds = range(int((after - start).total_seconds()))
    jump = bisect_left(seconds, True, key=lambda s: to_local(start + timedelta(seconds=s), name).utcoffset() != offset)
    end = start + timedelta(seconds=jump)
    nearest = [to_local(at, name).isoformat() for at in (end - timedelta(minutes=1), end)]
    message = f"the clocks in {name} skip this time; use {nearest[0]} or earlier, or {nearest[1]} or later"
    raise LocalTimeMissing(
        f"The clocks in {name} skip this time; the nearest valid times are {nearest[0]} and {nearest[1]}.",
        errors=[FieldError(pointer, "local-time-exists", message)],
        facts={"zone": name, "nearest": nearest},
    )


def _refuse_ambiguous(first: datetime, second: datetime, name: str, pointer: str) -> NoReturn:
    candidates = [to_local(at, name).isoformat() for at in (first, second)]
    message = f"send fold 0 for {candidates[0]} or fold 1 for {candidates[1]}"
    raise LocalTimeAmbiguous(
        f"The clocks in {name} show this time twice: {message}.",
        errors=[FieldError(pointer, "local-time-unique", message)],
        facts={"zone": name, "candidates": candidates},
    )


def _release_of(folder: Path) -> str:
    for name, prefix in (("tzdata.zi", "# version "), ("+VERSION", "")):
        if (folder / name).exists():
            with (folder / name).open() as text:
                return text.readline().removeprefix(prefix).strip()
    return "unknown"


def _iana_name(version: str) -> str:
    """Translate `2026.1` of the package index into `2026a`."""
    year, number = version.split(".")[:2]
    return year + chr(ord("a") + int(number) - 1)
