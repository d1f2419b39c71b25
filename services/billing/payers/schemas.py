"""What people send and get about payers, fees and the billing provider."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from praxis.kit.http import Answer, Body
from services.billing.payers.domain import (
    MOST_CHARGE_CENTS,
    full_postal_code,
    plain_postal_code,
    spelled_hcpcs,
    spelled_modifier,
    spelled_state,
)

FilingIndicator = Literal[
    "11", "12", "13", "14", "15", "16", "17", "AM", "BL", "CH", "CI", "DS",
    "FI", "HM", "LM", "MA", "MB", "MC", "OF", "TV", "VA", "WC", "ZZ",
]  # fmt: skip
"""Claim filing indicator code (SBR09): CI commercial, MB Medicare part B, MC Medicaid, BL Blue Cross/Blue Shield."""

Name60 = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=55)]
City = Annotated[str, StringConstraints(min_length=2, max_length=30)]
State = Annotated[str, AfterValidator(spelled_state)]
ExchangeId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{2,15}$")]
HcpcsCode = Annotated[str, AfterValidator(spelled_hcpcs)]
Modifier = Annotated[str, AfterValidator(spelled_modifier)]


class PayerAddress(Body):
    """Where a payer takes paper; `postal_code` is 12345, 123456789 or 12345-6789 and kept without the hyphen."""

    line1: Line
    line2: Annotated[str, StringConstraints(max_length=55)] = ""
    city: City
    state: State
    postal_code: Annotated[str, AfterValidator(plain_postal_code)]


class PracticeAddress(PayerAddress):
    """Where the practice is; a billing provider needs the 9 digits of ZIP+4 (N403 of loop 2010AA)."""

    postal_code: Annotated[str, AfterValidator(full_postal_code)]


class ContactPerson(Body):
    """Whom the receiver may call about a file (PER); `phone` is 10 digits."""

    name: Name60
    phone: Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]
    extension: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,8}$")] = ""
    email: Annotated[str, StringConstraints(max_length=80)] = ""


class PutPayer(Body):
    """The whole state of a payer; `payer_id` is the id claims carry (NM109 of loop 2010BB), days count from the service date."""

    name: Name60
    payer_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2,20}$")]
    filing_indicator: FilingIndicator
    timely_filing_days: Annotated[int, Field(ge=1, le=3650)] = 365
    address: PayerAddress | None = None


class PayerOut(Answer):
    """A payer."""

    id: UUID
    revision: int
    name: str
    payer_id: str
    filing_indicator: str
    timely_filing_days: int
    address: PayerAddress | None


class Fee(Body):
    """The price of one unit of a code, with one modifier or with none."""

    hcpcs_code: HcpcsCode
    modifier: Modifier | None = None
    charge_cents: Annotated[int, Field(ge=1, le=MOST_CHARGE_CENTS)]


class PutFeeSchedule(Body):
    """A price list, the practice's default one without `payer_id`. Dates inclusive; no `valid_until`: until further notice."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    payer_id: UUID | None = None
    valid_from: date
    valid_until: date | None = None
    items: Annotated[tuple[Fee, ...], Field(max_length=5000)]

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until must not lie before valid_from")
        return self


class FeeScheduleSummary(Answer):
    """A price list without its prices."""

    id: UUID
    revision: int
    name: str
    payer_id: UUID | None
    valid_from: date
    valid_until: date | None
    currency: str


class FeeOut(Answer):
    """One price."""

    hcpcs_code: str
    modifier: str | None
    charge_cents: int


class FeeScheduleOut(FeeScheduleSummary):
    """A price list; `items` by code and modifier."""

    items: tuple[FeeOut, ...]


class PutBillingProvider(Body):
    """Under which identity the practice bills, and through whom.

    `submitter_id` and `receiver_id` are agreed with the receiver of the files (ISA06, ISA08, NM109 of 1000A and 1000B);
    `usage_indicator` is ISA15: P for production, T for test.
    """

    organization_name: Name60
    npi: Annotated[str, StringConstraints(pattern=r"^[0-9]{10}$")]
    ein: Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]
    taxonomy_code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{9}X$")]
    address: PracticeAddress
    contact: ContactPerson
    submitter_id: ExchangeId
    receiver_name: Name60
    receiver_id: ExchangeId
    usage_indicator: Literal["P", "T"] = "P"


class BillingProviderOut(Answer):
    """The billing provider; of the EIN only its last four digits are shown."""

    revision: int
    organization_name: str
    npi: str
    ein_ending: str
    taxonomy_code: str
    address: PracticeAddress
    contact: ContactPerson
    submitter_id: str
    receiver_name: str
    receiver_id: str
    usage_indicator: str
