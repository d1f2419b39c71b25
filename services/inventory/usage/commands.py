"""Changing kits, and using up what a visit needs."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, update
from sqlalchemy.dialects import postgresql

from praxis.contracts.inventory import ConsumedLine, Shortfall, StockConsumedV1, StockRanShortV1
from praxis.kit.http import require_revision
from praxis.kit.ids import derived_id, new_id
from praxis.kit.money import extended_cents
from praxis.kit.practices import practice
from praxis.kit.unit_of_work import Session
from services.inventory.catalog.queries import items
from services.inventory.stock import queries as stock
from services.inventory.stock.commands import post_moves, quarantine_place
from services.inventory.stock.domain import Move, allocate, is_usable
from services.inventory.usage import models, queries
from services.inventory.usage.domain import (
    AUTO,
    DoneVisit,
    Use,
    quantity_changes,
    require_begun,
    require_kit_lines,
    take_back,
)
from services.inventory.usage.models import Kit, KitTrigger, KitVersion, Shortage, Usage, UsageNeed
from services.inventory.usage.schemas import AddKit, ChangeKit, KitLine, UsageLineOut


async def add_kit(session: Session, body: AddKit) -> Row[Any]:
    """Add a kit; raises KitCodeTaken, TriggerTaken and Invalid for unusable lines or a start in the future."""
    begins = body.valid_from or session.now
    require_begun(begins, session.now)
    kit_id = new_id()
    values = {"id": kit_id, "revision": 1, "code": body.code, "name": body.name, "changed_at": session.now}
    await session.execute(insert(Kit).values(values))
    await _begin_version(session, kit_id, 1, begins, body.lines, body.triggers)
    return await _shown(session, kit_id)


async def change_kit(session: Session, kit_id: UUID, body: ChangeKit, expected: int | None) -> Row[Any]:
    """Begin a new version of a kit; raises KitUnknown, Stale, TriggerTaken and Invalid for unusable lines."""
    row = await queries.kit(session, kit_id, lock=True)
    require_revision(row.revision, expected)
    # The clock of another process may be a little ahead; a period never ends before it began.
    begins, number = max(session.now, row.valid_from), row.revision + 1
    for period in (KitVersion, KitTrigger):
        present = (period.kit_id == kit_id, period.valid_to.is_(None))
        await session.execute(update(period).where(*present).values(valid_to=begins))
    values = {"revision": number, "name": body.name, "changed_at": session.now}
    await session.execute(update(Kit).where(Kit.id == kit_id).values(values))
    await _begin_version(session, kit_id, number, begins, body.lines, body.triggers)
    return await _shown(session, kit_id)


async def _begin_version(
    session: Session, kit_id: UUID, number: int, begins: datetime, lines: Sequence[KitLine], triggers: Collection[str]
) -> None:
    known = await items(session, {line.item_id for line in lines})
    require_kit_lines([(line.item_id, line.mode) for line in lines], {i: row.kind for i, row in known.items()})
    version = {"kit_id": kit_id, "number": number}
    await session.execute(insert(KitVersion).values({**version, "valid_from": begins}))
    rows = [{**version, **line.model_dump(), "item_kind": known[line.item_id].kind} for line in lines]
    await session.execute(insert(models.KitLine), rows)
    if triggers:
        codes = [{**version, "code": code, "valid_from": begins} for code in sorted(triggers)]
        await session.execute(insert(KitTrigger), codes)


async def _shown(session: Session, kit_id: UUID) -> Row[Any]:
    row = await queries.kit(session, kit_id)
    session.touch("kit", row.id, row.revision)
    return row


async def use_supplies(session: Session, visit: DoneVisit) -> None:
    """Bring what a visit used up to what its newest revision needs, and announce it.

    An older revision, or one already heard, changes nothing. More is taken first expired first from the visit's location; less
    goes back to the lots it came from. What stock cannot give is recorded as a shortfall: the visit is over either way.
    """
    usage = await _locked_usage(session, visit)
    if visit.revision <= usage.revision:
        return
    asked = await queries.needs(session, visit.codes, visit.at)
    uses = await queries.uses(session, usage.id)
    changes = quantity_changes({item: units for (item, mode), units in asked.items() if mode == AUTO}, uses)
    await post_moves(session, "usage", usage.id, await _settling(session, visit, changes, uses), visit.revision)
    lines = await queries.net_lines(session, usage.id)
    served = await _record_needs(session, usage, visit, asked, lines)
    await _announce(session, usage, visit, lines, served)


async def _locked_usage(session: Session, visit: DoneVisit) -> Row[Any]:
    # Two revisions of one visit may be heard at the same moment: the second waits here, before any lot is locked.
    usage_id = derived_id(visit.visit_id, "usage")
    values = {
        "id": usage_id,
        "visit_id": visit.visit_id,
        "revision": 0,
        "location_id": visit.location_id,
        "occurred_at": visit.at,
        "cost_cents": 0,
        "announced": False,
        "changed_at": session.now,
    }
    await session.execute(postgresql.insert(Usage).values(values).on_conflict_do_nothing())
    return await queries.usage(session, usage_id, lock=True)


async def _settling(session: Session, visit: DoneVisit, changes: Mapping[UUID, int], uses: Sequence[Use]) -> list[Move]:
    more = {item_id: change for item_id, change in changes.items() if change > 0}
    back = [
        pair
        for item_id, change in changes.items()
        if change < 0
        for pair in take_back([use for use in uses if use.item_id == item_id], -change)
    ]
    day = await stock.practice_day(session, visit.at)
    places = await stock.stock_places(session, visit.location_id)
    holdings = await stock.locked_holdings(session, list(more), places, day, also={use.lot_id for use, _ in back})
    picks = [pick for item_id, units in more.items() for pick in allocate(holdings.get(item_id, ()), units)]
    taken = [
        Move(
            pick.item_id, pick.lot_id, pick.quantity, "visit", visit.at, "place", "used", source_place_id=pick.place_id
        )
        for pick in picks
    ]
    return taken + await _returning(session, back)


async def _returning(session: Session, back: Sequence[tuple[Use, int]]) -> list[Move]:
    today = await stock.practice_day(session, session.now)
    lots = await stock.lots(session, {use.lot_id for use, _ in back})
    moves = []
    for use, units in back:
        lot = lots[use.lot_id]
        place_id = use.place_id
        if not is_usable(lot.status, lot.expires_on, today):
            place_id = await quarantine_place(session, (await stock.place(session, use.place_id)).location_id)
        moves.append(
            Move(use.item_id, use.lot_id, units, "visit-amended", session.now, "used", "place",
                 target_place_id=place_id, reverses=use.movement_id)
        )  # fmt: skip
    return moves


async def _record_needs(
    session: Session, usage: Row[Any], visit: DoneVisit, asked: Counter[tuple[UUID, str]], lines: Sequence[UsageLineOut]
) -> dict[UUID, tuple[int, int]]:
    """Keep what was asked for and granted; return item -> both, of the items used up unseen."""
    granted: Counter[UUID] = Counter()
    for line in lines:
        granted[line.item_id] += line.quantity
    key = {"usage_id": usage.id, "revision": visit.revision}
    rows = [
        {
            **key,
            "item_id": item_id,
            "mode": mode,
            "requested": units,
            "granted": granted[item_id] if mode == AUTO else 0,
        }
        for (item_id, mode), units in sorted(asked.items())
    ]
    if rows:
        await session.execute(insert(UsageNeed), rows)
    return {row["item_id"]: (row["requested"], row["granted"]) for row in rows if row["mode"] == AUTO}


async def _announce(
    session: Session,
    usage: Row[Any],
    visit: DoneVisit,
    lines: Sequence[UsageLineOut],
    served: Mapping[UUID, tuple[int, int]],
) -> None:
    missing = {item_id: need for item_id, need in served.items() if need[0] > need[1]}
    cost_cents = extended_cents(sum(line.unit_cost_micros * line.quantity for line in lines), 1)
    announced = bool(usage.announced or lines or missing)
    values = {
        "revision": visit.revision,
        "location_id": visit.location_id,
        "occurred_at": visit.at,
        "cost_cents": cost_cents,
        "announced": announced,
        "changed_at": session.now,
    }
    await session.execute(update(Usage).where(Usage.id == usage.id).values(values))
    session.touch("usage", usage.id, visit.revision)
    if announced:
        await _publish_consumed(session, usage.id, visit, lines, missing, cost_cents)
    await _publish_short(session, usage, visit, missing)


async def _publish_consumed(
    session: Session,
    usage_id: UUID,
    visit: DoneVisit,
    lines: Sequence[UsageLineOut],
    missing: Mapping[UUID, tuple[int, int]],
    cost_cents: int,
) -> None:
    known = await items(session, {line.item_id for line in lines})
    session.publish(
        StockConsumedV1(
            usage_id=usage_id,
            revision=visit.revision,
            visit_id=visit.visit_id,
            location_id=visit.location_id,
            lines=tuple(_consumed(line, known[line.item_id].hcpcs_code) for line in lines),
            shortfalls=tuple(
                Shortfall(item_id=item_id, quantity=asked - got) for item_id, (asked, got) in missing.items()
            ),
            cost_cents=cost_cents,
            currency=(await practice(session)).currency,
            occurred_at=visit.at,
        )
    )


def _consumed(line: UsageLineOut, hcpcs_code: str | None) -> ConsumedLine:
    return ConsumedLine(
        item_id=line.item_id,
        lot_id=line.lot_id,
        expires_on=line.expires_on,
        quantity=line.quantity,
        unit_cost_micros=line.unit_cost_micros,
        hcpcs_code=hcpcs_code,
    )


async def _publish_short(
    session: Session, usage: Row[Any], visit: DoneVisit, missing: Mapping[UUID, tuple[int, int]]
) -> None:
    """Announce each item that runs short anew, or otherwise than at the revision before."""
    before = await queries.usage_needs(session, usage.id, usage.revision)
    known = {(need.item_id, need.requested, need.granted) for need in before if need.mode == AUTO}
    news = [item_id for item_id, need in sorted(missing.items()) if (item_id, *need) not in known]
    if not news:
        return
    statement = postgresql.insert(Shortage).values([{"item_id": item_id, "revision": 1} for item_id in news])
    counted = statement.on_conflict_do_update(
        index_elements=[Shortage.practice_id, Shortage.item_id], set_={"revision": Shortage.revision + 1}
    )
    for row in await session.all(counted.returning(Shortage.item_id, Shortage.revision)):
        requested, granted = missing[row.item_id]
        session.publish(
            StockRanShortV1(
                item_id=row.item_id,
                revision=row.revision,
                visit_id=visit.visit_id,
                location_id=visit.location_id,
                requested=requested,
                granted=granted,
            )
        )
