"""Adding to the ledger; nothing else changes it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from praxis.contracts.billing import EntryPostedV1, Posting
from praxis.kit.clock import local_date
from praxis.kit.ids import new_id
from praxis.kit.money import CURRENCY
from praxis.kit.practices import practice_time_zone
from praxis.kit.unit_of_work import Session
from services.billing.ledger.domain import GENESIS, Cause, Side, balanced_total, entry_hash
from services.billing.ledger.models import LedgerEntry, LedgerHead, LedgerPosting
from services.billing.ledger.queries import posted_sides


async def post_entry(session: Session, cause: Cause, sides: Sequence[Side], story: UUID) -> UUID:
    """Post a balanced entry on the practice's present day and announce it; return its id.

    Call it last: from here to the commit every other entry of the practice waits. Raises AlreadyPosted (at the insert) for a
    cause that has an entry, ValueError for sides that do not balance.
    """
    total_cents = balanced_total(sides)
    accounting_on = local_date(session.now, await practice_time_zone(session))
    head = await _locked_head(session)
    number = head.number + 1
    entry_id = new_id()
    hashed = entry_hash(head.hash, number, accounting_on, cause, CURRENCY, sides)
    values = {
        "id": entry_id,
        "number": number,
        "accounting_on": accounting_on,
        "source_type": cause.source_type,
        "source_id": cause.source_id,
        "purpose": cause.purpose,
        "currency": CURRENCY,
        "total_cents": total_cents,
        "posting_count": len(sides),
        "posted_at": session.now,
        "prev_hash": head.hash,
        "hash": hashed,
    }
    await session.execute(insert(LedgerEntry).values(values))
    await session.execute(insert(LedgerPosting), _posting_rows(entry_id, sides))
    await session.execute(update(LedgerHead).values(number=number, hash=hashed))
    session.publish(_announcement(values, sides), story=story)
    return entry_id


async def reverse_entry(session: Session, original: Cause, purpose: str, story: UUID) -> UUID:
    """Post the exact opposite of an entry for `purpose`, on the present day; raises ValueError when there is no such entry."""
    sides = [side.reversed() for side in await posted_sides(session, original)]
    return await post_entry(session, Cause(original.source_type, original.source_id, purpose), sides, story)


async def _locked_head(session: Session) -> Row[Any]:
    first = upsert(LedgerHead).values(number=0, hash=GENESIS).on_conflict_do_nothing()
    await session.execute(first)
    return await session.one(select(LedgerHead.number, LedgerHead.hash).with_for_update())


def _posting_rows(entry_id: UUID, sides: Sequence[Side]) -> list[dict[str, Any]]:
    return [
        {
            "entry_id": entry_id,
            "position": position,
            "account": side.account,
            "debit_cents": side.debit_cents,
            "credit_cents": side.credit_cents,
        }
        for position, side in enumerate(sides, 1)
    ]


def _announcement(values: dict[str, Any], sides: Sequence[Side]) -> EntryPostedV1:
    postings = tuple(Posting(account=s.account, debit_cents=s.debit_cents, credit_cents=s.credit_cents) for s in sides)
    kept = {name: values[name] for name in ("number", "accounting_on", "source_type", "source_id", "currency")}
    return EntryPostedV1(entry_id=values["id"], revision=1, postings=postings, **kept)
