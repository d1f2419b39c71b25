"""Reading the ledger."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Row, Select, cast, func, select

from praxis.kit.unit_of_work import Session
from services.billing.ledger.domain import ACCOUNTS, Cause, Side
from services.billing.ledger.models import LedgerEntry, LedgerPosting
from services.billing.ledger.schemas import AccountBalance, EntryOut, PostingOut, TrialBalanceOut

_ENTRY = tuple(
    c for c in LedgerEntry.__table__.columns if c.name not in ("practice_id", "total_cents", "posting_count")
)


async def entries(
    session: Session, source_id: UUID | None, after: tuple[str | int, ...] | None, limit: int
) -> list[EntryOut]:
    """Return entries with their postings by number, of one source when asked, `limit` + 1 at most."""
    statement: Select[Any] = select(*_ENTRY).order_by(LedgerEntry.number).limit(limit + 1)
    if source_id:
        statement = statement.where(LedgerEntry.source_id == source_id)
    if after:
        statement = statement.where(LedgerEntry.number > int(after[0]))
    rows = await session.all(statement)
    postings = await _postings(session, [row.id for row in rows])
    return [_shown(row, postings[row.id]) for row in rows]


async def posted_sides(session: Session, cause: Cause) -> list[Side]:
    """Return the postings of the entry made for `cause`, in their order; none when there is no such entry."""
    rows = await session.all(
        select(LedgerPosting.account, LedgerPosting.debit_cents, LedgerPosting.credit_cents)
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(LedgerEntry.source_type == cause.source_type, LedgerEntry.source_id == cause.source_id)
        .where(LedgerEntry.purpose == cause.purpose)
        .order_by(LedgerPosting.position)
    )
    return [Side(row.account, row.debit_cents, row.credit_cents) for row in rows]


async def trial_balance(session: Session, through: date | None) -> TrialBalanceOut:
    """Return what was posted to each account, up to and including an accounting day when asked."""
    statement = select(
        LedgerPosting.account,
        cast(func.sum(LedgerPosting.debit_cents), BigInteger).label("debit_cents"),
        cast(func.sum(LedgerPosting.credit_cents), BigInteger).label("credit_cents"),
    )
    if through:
        within = select(LedgerEntry.id).where(LedgerEntry.accounting_on <= through)
        statement = statement.where(LedgerPosting.entry_id.in_(within))
    rows = await session.all(statement.group_by(LedgerPosting.account).order_by(LedgerPosting.account))
    debits, credits = sum(row.debit_cents for row in rows), sum(row.credit_cents for row in rows)
    accounts = tuple(_balance(row) for row in rows)
    return TrialBalanceOut(accounts=accounts, debit_cents=debits, credit_cents=credits, balance_cents=debits - credits)


async def _postings(session: Session, entry_ids: list[UUID]) -> dict[UUID, list[PostingOut]]:
    found: dict[UUID, list[PostingOut]] = {entry_id: [] for entry_id in entry_ids}
    columns = (LedgerPosting.entry_id, LedgerPosting.account, LedgerPosting.debit_cents, LedgerPosting.credit_cents)
    statement = select(*columns).where(LedgerPosting.entry_id.in_(entry_ids))
    for row in await session.all(statement.order_by(LedgerPosting.entry_id, LedgerPosting.position)):
        found[row.entry_id].append(PostingOut.model_validate(row))
    return found


def _shown(row: Row[Any], postings: list[PostingOut]) -> EntryOut:
    hashes = {"prev_hash": row.prev_hash.hex(), "hash": row.hash.hex()}
    return EntryOut.model_validate({**row._mapping, **hashes, "postings": postings})


def _balance(row: Row[Any]) -> AccountBalance:
    return AccountBalance(
        account=row.account,
        name=ACCOUNTS[row.account],
        debit_cents=row.debit_cents,
        credit_cents=row.credit_cents,
        balance_cents=row.debit_cents - row.credit_cents,
    )
