"""Adding places, and posting deliveries, corrections and issues as movements."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, update
from sqlalchemy.dialects import postgresql

from praxis.kit.http import require_revision
from praxis.kit.ids import derived_id, new_id
from praxis.kit.problems import FieldError, Invalid
from praxis.kit.unit_of_work import Session
from services.inventory.catalog import queries as catalog
from services.inventory.catalog.domain import RECALLABLE, ItemInactive
from services.inventory.stock import queries
from services.inventory.stock.domain import (
    AVAILABLE,
    HOLD,
    QUARANTINE,
    WASTED,
    Document,
    Holding,
    LotExpiryDiffers,
    Move,
    NotEnoughStock,
    Pick,
    allocate,
    require_adjustable,
    require_lot_move,
    require_receivable,
)
from services.inventory.stock.models import Location, Lot, Movement, Place
from services.inventory.stock.schemas import (
    AddPlace,
    AdjustmentOut,
    AdjustStock,
    IssueLine,
    IssueOut,
    IssueStock,
    MovedOut,
    ReceiptLine,
    ReceiptOut,
    ReceiveStock,
)


async def add_place(session: Session, body: AddPlace) -> Row[Any]:
    """Add a place; raises PlaceNameTaken and ParentElsewhere. A location not heard of yet is kept as a stub."""
    stub = postgresql.insert(Location).values(id=body.location_id, revision=0)
    await session.execute(stub.on_conflict_do_nothing())
    place_id = new_id()
    await session.execute(insert(Place).values({**body.model_dump(), "id": place_id}))
    session.touch("place", place_id)
    return await queries.place(session, place_id)


async def quarantine_place(session: Session, location_id: UUID) -> UUID:
    """Return the first quarantine place of a known location, made now when there is none."""
    found = await queries.quarantine_places(session, location_id)
    if found:
        return found[0]
    place_id = derived_id(location_id, QUARANTINE)
    values = {"id": place_id, "location_id": location_id, "kind": QUARANTINE, "name": "Quarantine"}
    await session.execute(postgresql.insert(Place).values(values).on_conflict_do_nothing())
    return (await queries.quarantine_places(session, location_id))[0]


async def hold_lot(session: Session, lot_id: UUID, expected: int | None) -> Row[Any]:
    """Keep a lot from being used; raises LotUnknown, Stale and TransitionRefused."""
    return await _move_lot(session, lot_id, HOLD, expected)


async def release_lot(session: Session, lot_id: UUID, expected: int | None) -> Row[Any]:
    """Allow a held lot to be used again; raises as `hold_lot`."""
    return await _move_lot(session, lot_id, AVAILABLE, expected)


async def _move_lot(session: Session, lot_id: UUID, status: str, expected: int | None) -> Row[Any]:
    row = await queries.lot(session, lot_id, lock=True)
    require_revision(row.revision, expected)
    require_lot_move(row.status, status, row.revision)
    values = {"status": status, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(Lot).where(Lot.id == lot_id).values(values))
    session.touch("lot", lot_id, row.revision + 1)
    return await queries.lot(session, lot_id)


async def receive_stock(session: Session, body: ReceiveStock) -> ReceiptOut:
    """Post a delivery; raises Invalid for unknown ids and unusable lots, ItemInactive and LotExpiryDiffers."""
    # The items are locked first so that two deliveries of one new lot come one after the other.
    items = await catalog.items(session, {line.item_id for line in body.lines}, lock=True)
    await _require_known(session, body.lines, items)
    _require_receivable(body.lines, items, await queries.practice_day(session, session.now))
    lot_ids = await _received_lots(session, body.lines)
    await queries.lock_lots(session, lot_ids)
    moves = [
        Move(line.item_id, lot_id, line.quantity, "received", session.now, "supplier", "place",
             target_place_id=line.place_id)
        for line, lot_id in zip(body.lines, lot_ids, strict=True)
    ]  # fmt: skip
    receipt_id, lines = await _posted(session, "receipt", moves)
    return ReceiptOut(id=receipt_id, lines=lines)


async def adjust_stock(session: Session, body: AdjustStock) -> AdjustmentOut:
    """Correct a lot's units in a place; raises Invalid for unknown ids or an unfitting reason, and NotEnoughStock."""
    require_adjustable(body.reason, body.quantity)
    if body.place_id not in await queries.places(session, [body.place_id]):
        raise Invalid(errors=[_unknown("/place_id", "place")])
    locked = await queries.lock_lots(session, [body.lot_id])
    if not locked:
        raise Invalid(errors=[_unknown("/lot_id", "lot")])
    before = await queries.on_hand(session, body.place_id, lot_id=body.lot_id)
    if before + body.quantity < 0:
        raise _shortage("/quantity", -body.quantity, before, before)
    adjustment_id, [line] = await _posted(session, "adjustment", [_adjusting(session, body, locked[0].item_id)])
    return AdjustmentOut(id=adjustment_id, movement_id=line.movement_id, on_hand=before + body.quantity)


def _adjusting(session: Session, body: AdjustStock, item_id: UUID) -> Move:
    what = (item_id, body.lot_id, abs(body.quantity), body.reason, session.now)
    if body.quantity > 0:
        return Move(*what, "adjust", "place", target_place_id=body.place_id)
    return Move(*what, "place", "waste" if body.reason in WASTED else "adjust", source_place_id=body.place_id)


async def issue_stock(session: Session, body: IssueStock) -> IssueOut:
    """Take units for use, first expired first, every line or none; raises Invalid for unknown ids and NotEnoughStock."""
    items = await catalog.items(session, {line.item_id for line in body.lines})
    places = await _require_known(session, body.lines, items)
    usable_places = [place_id for place_id, place in places.items() if place.kind != QUARANTINE]
    today = await queries.practice_day(session, session.now)
    holdings = await queries.locked_holdings(session, list(items), usable_places, today)
    picks = await _picked(session, body.lines, holdings)
    moves = [using(pick, "issued", session) for pick in picks]
    issue_id, lines = await _posted(session, "issue", moves)
    return IssueOut(id=issue_id, lines=lines)


async def _picked(
    session: Session, lines: Sequence[IssueLine], holdings: Mapping[UUID, Sequence[Holding]]
) -> list[Pick]:
    # Lines of one item and place are one wish: checked one by one, each could be granted from the same units.
    wanted: Counter[tuple[UUID, UUID]] = Counter()
    for line in lines:
        wanted[line.item_id, line.place_id] += line.quantity
    picks: list[Pick] = []
    for (item_id, place_id), quantity in sorted(wanted.items()):
        there = [holding for holding in holdings.get(item_id, ()) if holding.place_id == place_id]
        taken = allocate(there, quantity)
        usable = sum(pick.quantity for pick in taken)
        if usable < quantity:
            number = next(n for n, line in enumerate(lines) if (line.item_id, line.place_id) == (item_id, place_id))
            on_hand = await queries.on_hand(session, place_id, item_id=item_id)
            raise _shortage(f"/lines/{number}/quantity", quantity, on_hand, usable)
        picks += taken
    return picks


def using(pick: Pick, reason: str, session: Session) -> Move:
    """Return the movement that uses up a pick now."""
    return Move(pick.item_id, pick.lot_id, pick.quantity, reason, session.now, "place", "used",
                source_place_id=pick.place_id)  # fmt: skip


async def post_moves(
    session: Session, document: Document, document_id: UUID, moves: Sequence[Move], revision: int = 1
) -> list[UUID]:
    """Append movements in the order given; the database carries them over to the balances. Returns their ids.

    Call with the lots locked. A second posting of the same document, revision and line is refused by `movements_effect`.
    """
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "item_id": move.item_id,
            "lot_id": move.lot_id,
            "quantity": move.quantity,
            "source": move.source,
            "source_place_id": move.source_place_id,
            "target": move.target,
            "target_place_id": move.target_place_id,
            "reason": move.reason,
            "occurred_at": move.occurred_at,
            "recorded_at": session.now,
            "document": document,
            "document_id": document_id,
            "document_revision": revision,
            "line": line,
            "reverses": move.reverses,
        }
        for line, move in enumerate(moves, start=1)
    ]
    if rows:
        await session.execute(insert(Movement), rows)
    return [row["id"] for row in rows]


async def _posted(session: Session, document: Document, moves: Sequence[Move]) -> tuple[UUID, list[MovedOut]]:
    document_id = new_id()
    movement_ids = await post_moves(session, document, document_id, moves)
    session.touch(document, document_id)
    lines = [
        MovedOut(
            movement_id=movement_id,
            item_id=move.item_id,
            lot_id=move.lot_id,
            place_id=move.source_place_id or move.target_place_id,
            quantity=move.quantity,
        )
        for movement_id, move in zip(movement_ids, moves, strict=True)
    ]
    return document_id, lines


async def _require_known(
    session: Session, lines: Sequence[ReceiptLine | IssueLine], items: Mapping[UUID, Row[Any]]
) -> dict[UUID, Row[Any]]:
    places = await queries.places(session, {line.place_id for line in lines})
    errors = [_unknown(f"/lines/{n}/item_id", "item") for n, line in enumerate(lines) if line.item_id not in items]
    errors += [_unknown(f"/lines/{n}/place_id", "place") for n, line in enumerate(lines) if line.place_id not in places]
    if errors:
        raise Invalid(errors=errors)
    return places


def _require_receivable(lines: Sequence[ReceiptLine], items: Mapping[UUID, Row[Any]], today: date) -> None:
    errors: list[FieldError] = []
    for number, line in enumerate(lines):
        item = items[line.item_id]
        if item.status != "active":
            raise ItemInactive(facts={"item_id": str(item.id)})
        lot = (line.lot_code, line.expires_on, today)
        errors += require_receivable(f"/lines/{number}", item.tracking, item.kind in RECALLABLE, *lot)
    if errors:
        raise Invalid(errors=errors)


async def _received_lots(session: Session, lines: Sequence[ReceiptLine]) -> list[UUID]:
    coded = [line for line in lines if line.lot_code is not None]
    known = await queries.lots_coded(session, {line.item_id for line in coded}, {line.lot_code or "" for line in coded})
    _require_one_expiry(lines, known)
    by_price = {(row.item_id, row.lot_code, row.unit_cost_micros): row.id for row in known}
    added: list[dict[str, Any]] = []
    lot_ids: list[UUID] = []
    for line in lines:
        key = (line.item_id, line.lot_code, line.unit_cost_micros)
        lot_id = by_price.get(key) if line.lot_code else None
        if lot_id is None:
            lot_id = by_price[key] = new_id()
            added.append(_new_lot(session, lot_id, line))
        lot_ids.append(lot_id)
    if added:
        await session.execute(insert(Lot), added)
    return lot_ids


def _require_one_expiry(lines: Sequence[ReceiptLine], known: Sequence[Row[Any]]) -> None:
    expiries: dict[tuple[UUID, str], date | None] = {(row.item_id, row.lot_code): row.expires_on for row in known}
    for number, line in enumerate(lines):
        if line.lot_code is None:
            continue
        expiry = expiries.setdefault((line.item_id, line.lot_code), line.expires_on)
        if expiry != line.expires_on:
            message = (
                f"This lot is known to expire on {expiry}." if expiry else "This lot is known without expiry date."
            )
            raise LotExpiryDiffers(
                errors=[FieldError(f"/lines/{number}/expires_on", "lot-has-one-expiry", message)],
                facts={"known_expires_on": expiry},
            )


def _new_lot(session: Session, lot_id: UUID, line: ReceiptLine) -> dict[str, Any]:
    return {
        "id": lot_id,
        "revision": 1,
        "item_id": line.item_id,
        "lot_code": line.lot_code,
        "expires_on": line.expires_on,
        "received_at": session.now,
        "unit_cost_micros": line.unit_cost_micros,
        "status": AVAILABLE,
        "changed_at": session.now,
    }


def _unknown(pointer: str, noun: str) -> FieldError:
    return FieldError(pointer, f"known-{noun}", f"Send the id of a {noun} of this practice.")


def _shortage(pointer: str, requested: int, on_hand: int, usable: int) -> NotEnoughStock:
    message = f"At most {usable} can be taken here now."
    facts = {"requested": requested, "on_hand": on_hand, "usable": usable, "granted": 0}
    return NotEnoughStock(message, errors=[FieldError(pointer, "enough-stock", message)], facts=facts)
