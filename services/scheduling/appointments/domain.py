"""Rules of appointments: states, times, what may be booked, and what to offer instead of a taken time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from praxis.kit.clock import local_date, to_local, zone
from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem, TransitionRefused

Status = Literal["booked", "arrived", "checked-in", "fulfilled", "cancelled", "noshow"]

TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    "booked": frozenset({"arrived", "checked-in", "cancelled", "noshow"}),
    "arrived": frozenset({"checked-in", "cancelled"}),
    "checked-in": frozenset({"fulfilled"}),
    "fulfilled": frozenset(),
    "cancelled": frozenset(),
    "noshow": frozenset(),
}
"""Names of FHIR Appointment.status. A visit that ends without being completed takes its appointment from checked-in back to
booked, or to cancelled, and nothing else does. A cancelled or missed time is free again; coming back is a new booking."""

CancellationReason = Literal[
    "pat", "pat-crs", "pat-cpp", "pat-dec", "pat-fb", "pat-lt", "pat-mt", "pat-mv", "pat-preg", "pat-swl", "pat-ucp",
    "prov", "prov-pers", "prov-dch", "prov-edu", "prov-hosp", "prov-labs", "prov-mri", "prov-onc",
    "maint", "meds-inc",
    "other", "oth-cms", "oth-err", "oth-fin", "oth-iv", "oth-int", "oth-mu", "oth-room", "oth-oerr", "oth-swie", "oth-weath",
]  # fmt: skip
"""Code system http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason."""

CLINICAL_ROLES: Final = frozenset({"provider", "medical_assistant", "lead_medical_assistant"})
"""Roles of staff that patients come to see."""

GRACE: Final = timedelta(minutes=15)
"""How long after the start a patient may still come before the appointment can be marked as missed."""

HORIZON: Final = timedelta(days=730)
"""How far ahead can be booked."""

SEARCH_SPAN: Final = timedelta(hours=4)
SEARCH_STEP: Final = timedelta(minutes=15)
OFFERS: Final = 3

Interval = tuple[datetime, datetime]
"""Start and end, half-open."""


class AppointmentUnknown(NotFound):
    """No such appointment in this practice."""

    code = "appointment-unknown"
    title = "There is no such appointment"


class SlotTaken(Conflict):
    """Someone or something that is needed is busy then; facts `conflicts` and `nearest_free`."""

    code = "slot-taken"
    title = "The time is already taken"


class PatientAlreadyBooked(Conflict):
    """The patient has another appointment then; facts `conflicts` and `nearest_free`."""

    code = "patient-already-booked"
    title = "The patient has another appointment at this time"


class GraceRunning(Conflict):
    """The patient may still come; `from` says when the appointment counts as missed, `local_from` on which clock time there."""

    code = "grace-running"
    title = "The patient may still come"


class NotToday(Conflict):
    """People come on the day of their appointment; the fact `day` is that day at the location."""

    code = "not-today"
    title = "The appointment is on another day"


class NotBookable(Conflict):
    """What was asked for is known and cannot be booked as it stands now; every reason is in `errors`."""

    code = "not-bookable"
    title = "This cannot be booked as things stand"


class ReferenceUnknown(Invalid):
    """The body names things that this practice does not have."""

    code = "reference-unknown"
    title = "Something named here does not exist"


REFUSALS: Final[dict[str, type[Problem]]] = {
    "occupancies_slot": SlotTaken,
    "occupancies_patient": PatientAlreadyBooked,
}


@dataclass(frozen=True, slots=True)
class Busy:
    """A resource that is occupied for a time. `kind` is practitioner, room or patient."""

    resource_id: UUID
    kind: str
    starts_at: datetime
    ends_at: datetime


def require_transition(current: Status, to: Status, revision: int) -> None:
    """Refuse a change of state that TRANSITIONS does not have."""
    if to not in TRANSITIONS[current]:
        raise TransitionRefused("appointment", current, TRANSITIONS[current], revision)


def require_movable(current: Status, revision: int) -> None:
    """Refuse to reschedule anything but a booked appointment."""
    if current != "booked":
        raise TransitionRefused("appointment", current, TRANSITIONS[current], revision)


def require_grace_over(starts_at: datetime, now: datetime, time_zone: str) -> None:
    """Refuse to call an appointment missed before start and grace have passed."""
    over = starts_at + GRACE
    if now < over:
        there = to_local(over, time_zone)
        detail = f"Wait until {there:%H:%M} on {there.date().isoformat()} at the location."
        raise GraceRunning(detail, facts={"from": over, "local_from": there.isoformat()})


def require_day(local_start: datetime, time_zone: str, now: datetime) -> None:
    """Refuse to receive a patient on any other day than that of the appointment, as the location counts days."""
    day = local_start.date()
    if local_date(now, time_zone) != day:
        raise NotToday(f"The appointment is on {day.isoformat()}.", facts={"day": day})


def require_bookable_time(starts_at: datetime, now: datetime, time_zone: str, pointer: str) -> None:
    """Refuse a start in the past, too far ahead, or not at a full minute; the refusal tells the time at the location."""
    if starts_at < now:
        earliest = to_local(now, time_zone).isoformat()
        _refuse_time(pointer, "not-in-the-past", f"Send a start from {earliest} on: it is that time at the location.")
    if starts_at > now + HORIZON:
        latest = to_local(now + HORIZON, time_zone).isoformat()
        _refuse_time(pointer, "within-the-horizon", f"Send a start up to {latest}.")
    if starts_at.second or starts_at.microsecond:
        _refuse_time(pointer, "full-minute", "Send a start at a full minute.")


def _refuse_time(pointer: str, rule: str, message: str) -> None:
    raise Invalid(errors=[FieldError(pointer, rule, message)])


def require_bookable(found: Mapping[str, Any], location_id: UUID, has_room: bool, room_later: bool = False) -> None:
    """Refuse what is unknown (ReferenceUnknown) or not bookable now (NotBookable), with every reason at once.

    `found` holds the columns of `queries.bookable`: null where a thing was not found. `room_later` is for a walk-in, who waits
    before any room is needed.
    """
    unknown = [
        FieldError(f"/{name}_id", "known", f"Send the id of a {name.replace('_', ' ')} of this practice.")
        for name in ("patient", "visit_type", "location", "practitioner", "room")
        if found[f"{name}_status"] is None and (name != "room" or has_room)
    ]
    if unknown:
        raise ReferenceUnknown(errors=unknown)
    failed = [error for error, fails in _reasons(found, location_id, has_room, room_later) if fails]
    if failed:
        raise NotBookable(errors=failed)


def _reasons(
    found: Mapping[str, Any], location_id: UUID, has_room: bool, room_later: bool
) -> Iterable[tuple[FieldError, bool]]:
    for name in ("patient", "visit_type", "location", "practitioner", "room"):
        word = name.replace("_", " ")
        inactive = found[f"{name}_status"] == "inactive"
        yield FieldError(f"/{name}_id", f"{name.replace('_', '-')}-active", f"Choose an active {word}."), inactive
    clinical = found["practitioner_role"] in CLINICAL_ROLES
    yield FieldError("/practitioner_id", "clinical-role", "Choose a provider or a medical assistant."), not clinical
    elsewhere = has_room and found["room_location_id"] != location_id
    yield FieldError("/room_id", "room-at-location", "Choose a room of this location."), elsewhere
    missing = found["needs_room"] and not has_room and not room_later
    yield FieldError("/room_id", "room-required", "This kind of visit needs a room: name one."), missing


def require_provider(found: Mapping[str, Any]) -> None:
    """Refuse a walk-in to anyone but a provider; `found` as for `require_bookable`."""
    if found["practitioner_role"] != "provider":
        raise NotBookable(errors=[FieldError("/practitioner_id", "provider", "Choose an active provider.")])


def slot_problem(taken: Sequence[Busy], nearest: Sequence[datetime]) -> Problem:
    """Return the refusal that says who or what is busy when, and which near starts are free."""
    only_patient = all(busy.kind == "patient" for busy in taken)
    conflicts = [
        {"resource_id": busy.resource_id, "kind": busy.kind, "starts_at": busy.starts_at, "ends_at": busy.ends_at}
        for busy in taken
    ]
    problem = PatientAlreadyBooked if only_patient else SlotTaken
    return problem(facts={"conflicts": conflicts, "nearest_free": list(nearest)})


def nearest_free(asked: Interval, busy: Iterable[Interval], now: datetime) -> list[datetime]:
    """Return up to three starts nearest to the asked one, ascending, at which an equally long visit touches nothing busy.

    Starts lie SEARCH_STEP apart from the asked one, within SEARCH_SPAN of it and not before `now`.
    """
    starts_at, ends_at = asked
    length, taken = ends_at - starts_at, list(busy)
    steps = sorted(range(-(SEARCH_SPAN // SEARCH_STEP), SEARCH_SPAN // SEARCH_STEP + 1), key=lambda n: (abs(n), n))
    candidates = (starts_at + n * SEARCH_STEP for n in steps)
    free = (at for at in candidates if at >= now and not any(at < end and start < at + length for start, end in taken))
    return sorted(at for at, _ in zip(free, range(OFFERS), strict=False))


def day_bounds(on: date, time_zone: str) -> Interval:
    """Return the UTC instants at which the local day begins and ends there: 23, 24 or 25 hours apart."""
    there = zone(time_zone)
    midnights = (datetime.combine(day, time.min, there).astimezone(UTC) for day in (on, on + timedelta(days=1)))
    return next(midnights), next(midnights)


def require_one(pointer: str, **filters: object | None) -> None:
    """Refuse a list that names none of these filters, or several; `pointer` is where to mend it."""
    if sum(value is not None for value in filters.values()) != 1:
        raise Invalid(errors=[FieldError(pointer, "one-of", f"Send exactly one of {' and '.join(filters)}.")])
