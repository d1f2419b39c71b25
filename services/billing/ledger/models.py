"""Tables of the ledger."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.billing.db import Base


class LedgerHead(Base):
    """The newest entry of a practice: its row is locked while the next one is made."""

    __tablename__ = "ledger_heads"

    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerEntry(Base):
    """A balanced entry; never changed."""

    __tablename__ = "ledger_entries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    accounting_on: Mapped[date] = mapped_column(Date)
    source_type: Mapped[str] = mapped_column(Text)
    source_id: Mapped[UUID]
    purpose: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    posting_count: Mapped[int] = mapped_column(Integer)
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerPosting(Base):
    """One side of an entry; never changed."""

    __tablename__ = "ledger_postings"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    account: Mapped[str] = mapped_column(Text)
    debit_cents: Mapped[int] = mapped_column(BigInteger)
    credit_cents: Mapped[int] = mapped_column(BigInteger)
