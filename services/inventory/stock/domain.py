"""Rules of places, lots and movements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem, TransitionRefused

PlaceKind = Literal["stock", "quarantine"]
LotStatus = Literal["available", "hold", "quarantined", "recalled"]
Account = Literal["place", "supplier", "used", "adjust", "waste"]
Document = Literal["receipt", "adjustment", "issue", "usage"]
AdjustmentReason = Literal["count", "found", "lost", "damaged", "expired", "contaminated"]

AVAILABLE: Final = "available"
HOLD: Final = "hold"
QUARANTINE: Final = "quarantine"

LOT_MOVES: Final[Mapping[str, frozenset[str]]] = {
    AVAILABLE: frozenset({HOLD}),
    HOLD: frozenset({AVAILABLE}),
    "quarantined": frozenset(),
    "recalled": frozenset(),
}
"""Status -> those to which a person may bring a lot from it."""

WASTED: Final = frozenset({"damaged", "expired", "contaminated"})
"""Reasons for which stock is thrown away; the others only correct what the books say."""
GAINS: Final = frozenset({"count", "found"})
LOSSES: Final = frozenset({"count", "lost"}) | WASTED


class PlaceUnknown(NotFound):
    """No such place in this practice."""

    code = "place-unknown"
    title = "There is no such place"


class PlaceNameTaken(Conflict):
    """Two places of one kind at a location cannot share a name."""

    code = "place-name-taken"
    title = "This location has a place of this name"


class ParentElsewhere(Invalid):
    """A place lies within a known place of its own location."""

    code = "parent-elsewhere"
    title = "The parent is not a place of this location"

    def __init__(self) -> None:
        message = "Send the id of a place of the same location, or none."
        super().__init__(errors=[FieldError("/parent_id", "place-of-location", message)])


class LotUnknown(NotFound):
    """No such lot in this practice."""

    code = "lot-unknown"
    title = "There is no such lot"


class LotExpiryDiffers(Conflict):
    """A maker's lot has one expiry date; one of the two was misread."""

    code = "lot-expiry-differs"
    title = "This lot is known with another expiry date"


class LotNotUsable(Conflict):
    """The lot expired, was held or lies in quarantine when it was to be used."""

    code = "lot-not-usable"
    title = "This lot may not be used"


class NotEnoughStock(Conflict):
    """Less is there than was asked for; nothing was taken."""

    code = "not-enough-stock"
    title = "There is not enough stock"


REFUSALS: Final[dict[str, type[Problem]]] = {
    "places_name": PlaceNameTaken,
    "places_parent": ParentElsewhere,
    "lots_one_expiry": LotExpiryDiffers,
    "movements_usable": LotNotUsable,
    "balances_not_negative": NotEnoughStock,
}


@dataclass(frozen=True, slots=True)
class Holding:
    """Units of one lot in one place."""

    item_id: UUID
    lot_id: UUID
    place_id: UUID
    expires_on: date | None
    received_at: datetime
    on_hand: int


@dataclass(frozen=True, slots=True)
class Pick:
    """Units to take from one lot in one place."""

    item_id: UUID
    lot_id: UUID
    place_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Move:
    """One movement to post: a place id, or for the other accounts None, on each side."""

    item_id: UUID
    lot_id: UUID
    quantity: int
    reason: str
    occurred_at: datetime
    source: Account
    target: Account
    source_place_id: UUID | None = None
    target_place_id: UUID | None = None
    reverses: UUID | None = None


def fefo_key(holding: Holding) -> tuple[date, datetime, UUID, UUID]:
    """Return the sort key of first expired, first out; lots without an expiry date come last."""
    return holding.expires_on or date.max, holding.received_at, holding.lot_id, holding.place_id


def allocate(holdings: Iterable[Holding], quantity: int) -> list[Pick]:
    """Take up to `quantity` units of usable holdings of one item, first expired first.

    The picks add up to `quantity`, or to all there is; none is empty, and no lot is touched before the earlier ones are used up.
    """
    picks: list[Pick] = []
    for holding in sorted(holdings, key=fefo_key):
        taken = min(holding.on_hand, quantity)
        if taken > 0:
            picks.append(Pick(holding.item_id, holding.lot_id, holding.place_id, taken))
            quantity -= taken
    return picks


def is_expired(expires_on: date | None, today: date) -> bool:
    """Tell whether a lot's last day has passed: it may be used until 24:00 of that day, in the practice's time zone."""
    return expires_on is not None and expires_on < today


def is_usable(status: str, expires_on: date | None, today: date) -> bool:
    """Tell whether a lot may be used up on this day."""
    return status == AVAILABLE and not is_expired(expires_on, today)


def require_lot_move(status: str, target: str, revision: int) -> None:
    """Refuse a change of a lot's status that nobody may decide by hand."""
    if target not in LOT_MOVES[status]:
        raise TransitionRefused("lot", status, LOT_MOVES[status], revision)


def require_adjustable(reason: str, quantity: int) -> None:
    """Refuse an adjustment by nothing, and a reason that cannot explain a gain or cannot explain a loss."""
    if quantity == 0:
        raise Invalid(
            errors=[FieldError("/quantity", "not-zero", "Send how many units to add, or below zero to take away.")]
        )
    fitting = GAINS if quantity > 0 else LOSSES
    if reason not in fitting:
        message = f"For this quantity send one of {', '.join(sorted(fitting))}."
        raise Invalid(errors=[FieldError("/reason", "reason-fits-sign", message)])


def require_receivable(
    pointer: str, tracking: str, recallable: bool, lot_code: str | None, expires_on: date | None, today: date
) -> list[FieldError]:
    """Return what is wrong with the lot of one received line; empty when it may go on the shelf."""
    errors = []
    if (lot_code is not None) != (tracking == "lot"):
        message = (
            "Send the lot code of a lot-tracked item." if tracking == "lot" else "This item has no lots: send none."
        )
        errors.append(FieldError(f"{pointer}/lot_code", "lot-as-tracked", message))
    if recallable and expires_on is None:
        errors.append(FieldError(f"{pointer}/expires_on", "expiry-required", "Drugs and vaccines need an expiry date."))
    if is_expired(expires_on, today):
        message = f"The lot has expired: it was usable until the end of {expires_on}. Send it back to the supplier."
        errors.append(FieldError(f"{pointer}/expires_on", "lot-expired", message))
    return errors


def summary(holdings: Iterable[tuple[int, str, date | None, str]], today: date) -> dict[str, int]:
    """Add up an item's holdings, each (units, lot status, expiry, place kind): what is usable, expired, held, and all on hand."""
    totals = {"on_hand": 0, "usable": 0, "expired": 0, "held": 0}
    for units, status, expires_on, place_kind in holdings:
        held = status != AVAILABLE or place_kind == QUARANTINE
        state = "held" if held else "expired" if is_expired(expires_on, today) else "usable"
        totals[state] += units
        totals["on_hand"] += units
    return totals
