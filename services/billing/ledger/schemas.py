"""What people get of the ledger."""

from datetime import date, datetime
from uuid import UUID

from praxis.kit.http import Answer


class PostingOut(Answer):
    """One side of an entry."""

    account: str
    debit_cents: int
    credit_cents: int


class EntryOut(Answer):
    """A balanced entry; `hash` is the hex SHA-256 over `prev_hash` and the entry."""

    id: UUID
    number: int
    accounting_on: date
    source_type: str
    source_id: UUID
    purpose: str
    currency: str
    posted_at: datetime
    prev_hash: str
    hash: str
    postings: tuple[PostingOut, ...]


class AccountBalance(Answer):
    """What was posted to an account; `balance_cents` is debits less credits."""

    account: str
    name: str
    debit_cents: int
    credit_cents: int
    balance_cents: int


class TrialBalanceOut(Answer):
    """Every account that was posted to, by number; debits and credits are equal."""

    accounts: tuple[AccountBalance, ...]
    debit_cents: int
    credit_cents: int
    balance_cents: int
