"""Rules of kits and of what a visit uses up."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem

Mode = Literal["auto", "confirm"]

AUTO: Final = "auto"
CONFIRM: Final = "confirm"
AUTO_KINDS: Final = frozenset({"supply", "reagent"})
"""Kinds that may be used up unseen; of anything else somebody must say which lot and how much it was."""


class KitUnknown(NotFound):
    """No such kit in this practice."""

    code = "kit-unknown"
    title = "There is no such kit"


class UsageUnknown(NotFound):
    """No such usage record in this practice."""

    code = "usage-unknown"
    title = "There is no such usage record"


class KitCodeTaken(Conflict):
    """Two kits of a practice cannot have one code."""

    code = "kit-code-taken"
    title = "Another kit has this code"


class TriggerTaken(Conflict):
    """A visit type or task uses up one kit at a time."""

    code = "trigger-taken"
    title = "Another kit is already used up by one of these codes"


REFUSALS: Final[dict[str, type[Problem]]] = {"kits_code": KitCodeTaken, "kit_triggers_code": TriggerTaken}


@dataclass(frozen=True, slots=True)
class DoneVisit:
    """What supplies depend on: `codes` counts the visit type once and each task as often as it was done.

    A visit that is not complete (any more) has no codes: it used up nothing. `at` is when it was completed.
    """

    visit_id: UUID
    revision: int
    location_id: UUID
    codes: Counter[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """Units that a visit used up and that were not taken back, by one movement."""

    movement_id: UUID
    item_id: UUID
    lot_id: UUID
    place_id: UUID
    expires_on: date | None
    received_at: datetime
    remaining: int


def require_kit_lines(lines: Sequence[tuple[UUID, str]], kinds: Mapping[UUID, str]) -> None:
    """Refuse kit lines (item, mode) that name an unknown item or one twice, or would use up a drug or vaccine unseen."""
    errors = []
    times = Counter(item_id for item_id, _ in lines)
    for number, (item_id, mode) in enumerate(lines):
        if item_id not in kinds:
            errors.append(
                FieldError(f"/lines/{number}/item_id", "known-item", "Send the id of an item of this practice.")
            )
        elif mode == AUTO and kinds[item_id] not in AUTO_KINDS:
            message = f"A {kinds[item_id]} is used up only when somebody names the lot: send confirm."
            errors.append(FieldError(f"/lines/{number}/mode", "auto-kind", message))
        if times[item_id] > 1:
            errors.append(FieldError(f"/lines/{number}/item_id", "item-once", "Send one line per item."))
    if errors:
        raise Invalid(errors=errors)


def require_begun(valid_from: datetime, now: datetime) -> None:
    """Refuse a kit that would begin later: it would have to be changed before it is valid."""
    if valid_from > now:
        raise Invalid(
            errors=[FieldError("/valid_from", "not-in-future", "Send a past time, or leave it out to begin at once.")]
        )


def quantity_changes(requested: Mapping[UUID, int], uses: Iterable[Use]) -> dict[UUID, int]:
    """Return by how many units the use of each item must grow (above zero) or shrink (below), in item order; never zero."""
    used: Counter[UUID] = Counter()
    for use in uses:
        used[use.item_id] += use.remaining
    changes = {item_id: requested.get(item_id, 0) - used[item_id] for item_id in sorted({*requested, *used})}
    return {item_id: change for item_id, change in changes.items() if change}


def take_back(uses: Iterable[Use], quantity: int) -> list[tuple[Use, int]]:
    """Choose which uses of one item to reverse, and by how many units: the latest expiry first.

    It is the reverse of first expired, first out: what is left used is what would have been taken first. The units add up to
    `quantity`, or to all there is.
    """
    chosen: list[tuple[Use, int]] = []
    for use in sorted(uses, key=_latest_first, reverse=True):
        units = min(use.remaining, quantity)
        if units > 0:
            chosen.append((use, units))
            quantity -= units
    return chosen


def _latest_first(use: Use) -> tuple[date, datetime, UUID]:
    return use.expires_on or date.max, use.received_at, use.movement_id
