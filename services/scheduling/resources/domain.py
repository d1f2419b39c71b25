"""Rules of locations, rooms, visit types and practitioners."""

from typing import Final

from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem

DAY_MINUTES: Final = 1440
"""The longest visit; occupancies rely on it."""


class LocationUnknown(NotFound):
    """No such location in this practice."""

    code = "location-unknown"
    title = "There is no such location"


class RoomUnknown(NotFound):
    """No such room in this practice."""

    code = "room-unknown"
    title = "There is no such room"


class VisitTypeUnknown(NotFound):
    """No such visit type in this practice."""

    code = "visit-type-unknown"
    title = "There is no such visit type"


class PractitionerUnknown(NotFound):
    """No such practitioner in this practice."""

    code = "practitioner-unknown"
    title = "There is no such practitioner"


class LocationCodeTaken(Conflict):
    """Two locations cannot have one code."""

    code = "location-code-taken"
    title = "Another location has this code"


class RoomNameTaken(Conflict):
    """Two rooms of a location cannot have one name."""

    code = "room-name-taken"
    title = "Another room of this location has this name"


class VisitTypeCodeTaken(Conflict):
    """Two visit types cannot have one code."""

    code = "visit-type-code-taken"
    title = "Another visit type has this code"


class RequiredTaskRepeated(Invalid):
    """A visit type names each required task once."""

    code = "required-task-repeated"
    title = "A required task is named twice"


class ReferenceUnknown(Invalid):
    """The body names something that this practice does not have."""

    code = "reference-unknown"
    title = "Something named here does not exist"


REFUSALS: Final[dict[str, type[Problem]]] = {
    "locations_code": LocationCodeTaken,
    "rooms_name": RoomNameTaken,
    "visit_types_code": VisitTypeCodeTaken,
}


def require_each_once(codes: tuple[str, ...]) -> None:
    """Refuse a list of required tasks that names one twice."""
    seen: set[str] = set()
    for place, code in enumerate(codes):
        if code in seen:
            error = FieldError(f"/required_tasks/{place}", "named-once", f"Name {code} once.")
            raise RequiredTaskRepeated(errors=[error])
        seen.add(code)


def require_known(found: object | None, pointer: str, name: str) -> None:
    """Refuse a body that names something unknown."""
    if found is None:
        raise ReferenceUnknown(errors=[FieldError(pointer, "known", f"Send the id of a {name} of this practice.")])
