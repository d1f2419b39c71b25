"""Reading claims, and reading together what an 837P says."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, select

from praxis.kit.unit_of_work import Session
from services.billing.claims.domain import (
    DIAGNOSES,
    RELATIONSHIP_CODES,
    UNKNOWN_LOCATION,
    UNKNOWN_PROVIDER,
    UNNAMED_PROVIDER,
    UNSET_BILLING_PROVIDER,
    X12,
    ClaimNotReady,
    ClaimUnknown,
)
from services.billing.claims.engine.claim import (
    Address,
    BillingProvider,
    Organization,
    Patient,
    Payer,
    PersonName,
    ProfessionalClaim,
    RenderingProvider,
    ServiceLine,
    Subscriber,
)
from services.billing.claims.engine.scrub import Coverage, Finding, Severity, scrub
from services.billing.claims.models import Claim, ClaimLine, ServiceLocation
from services.billing.claims.schemas import ClaimLineOut, ClaimOut
from services.billing.coverage.queries import shown as coverage_shown
from services.billing.payers.domain import EIN
from services.billing.payers.queries import billing_provider_or_none, payer, rendering_provider

_COLUMNS = tuple(c for c in Claim.__table__.columns if c.name not in ("practice_id", "x12_sealed"))
_LINE = tuple(c for c in ClaimLine.__table__.columns if c.name not in ("practice_id", "claim_id"))

HELD: Final = "edit-hold"


@dataclass(frozen=True, slots=True)
class Examined:
    """A claim as the 837P would carry it (None while something is unknown), and what is wrong with it."""

    content: ProfessionalClaim | None
    findings: list[Finding]

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing keeps the claim from being sent."""
        return self.content is not None and all(finding.severity != Severity.ERROR for finding in self.findings)


async def claim(session: Session, claim_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one claim without its file, locked for change when asked; raises ClaimUnknown."""
    statement: Select[Any] = select(*_COLUMNS).where(Claim.id == claim_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise ClaimUnknown
    return row


async def claims(
    session: Session, state: str | None, visit_id: UUID | None, after: tuple[str | int, ...] | None, limit: int
) -> list[Row[Any]]:
    """Return claims by id, that is as they were drafted, `limit` + 1 at most."""
    statement: Select[Any] = select(*_COLUMNS).order_by(Claim.id).limit(limit + 1)
    if state:
        statement = statement.where(Claim.state == state)
    if visit_id:
        statement = statement.where(Claim.visit_id == visit_id)
    if after:
        statement = statement.where(Claim.id > UUID(str(after[0])))
    return await session.all(statement)


async def claim_of_sheet(session: Session, charge_sheet_id: UUID, version: int) -> UUID | None:
    """Return the id of the claim made of a signed version of a charge sheet, or None for self-pay."""
    statement = select(Claim.id).where(Claim.charge_sheet_id == charge_sheet_id, Claim.sheet_version == version)
    found: UUID | None = await session.scalar(statement)
    return found


async def held_claims(
    session: Session, practitioner_id: UUID | None = None, location_id: UUID | None = None
) -> list[UUID]:
    """Return the ids of the held claims of a provider or of a location, all locked for change.

    Locked together and by id, before the first of them takes an interchange number: two such rounds then cannot deadlock.
    """
    statement = select(Claim.id).where(Claim.state == HELD).order_by(Claim.id).with_for_update()
    if practitioner_id:
        statement = statement.where(Claim.practitioner_id == practitioner_id)
    if location_id:
        statement = statement.where(Claim.location_id == location_id)
    return await session.scalars(statement)


async def x12_text(session: Session, claim_id: UUID) -> str:
    """Return the 837P of a claim; raises ClaimUnknown and ClaimNotReady."""
    row = await claim(session, claim_id)
    sealed: bytes | None = await session.scalar(select(Claim.x12_sealed).where(Claim.id == claim_id))
    if sealed is None:
        raise ClaimNotReady(facts={"state": row.state})
    return session.unseal(X12, sealed)


async def shown(session: Session, row: Row[Any]) -> ClaimOut:
    """Return the claim with its lines and readable diagnoses."""
    lines = [ClaimLineOut.model_validate(line) for line in await _lines(session, row.id)]
    digest = row.x12_sha256.hex() if row.x12_sha256 else None
    return ClaimOut.model_validate(
        {**row._mapping, "diagnoses": _diagnoses(session, row), "lines": lines, "x12_sha256": digest}
    )


async def examined(session: Session, row: Row[Any], covered: Row[Any], on: date) -> Examined:
    """Return the claim put together from its coverage and what else is known now, scrubbed as if it were sent `on` that day."""
    billing = await billing_provider_or_none(session)
    rendering = await rendering_provider(session, row.practitioner_id) if row.practitioner_id else None
    place: str | None = await session.scalar(
        select(ServiceLocation.place_of_service).where(ServiceLocation.id == row.location_id)
    )
    missing = _missing(row, billing, rendering, place)
    if billing is None or rendering is None or place is None or missing:
        return Examined(None, missing)
    subscriber, patient = _insured(session, covered)
    content = ProfessionalClaim(
        control_number=row.control_number,
        total_cents=row.total_cents,
        place_of_service=place,
        diagnoses=_diagnoses(session, row),
        billing=_billing(session, billing),
        payer=_payer(await payer(session, covered.payer_id)),
        subscriber=subscriber,
        patient=patient,
        rendering=_rendering(rendering),
        lines=tuple(_service_line(row, line) for line in await _lines(session, row.id)),
    )
    return Examined(content, scrub(content, on, Coverage(covered.valid_from, covered.valid_until)))


def _missing(row: Row[Any], billing: Row[Any] | None, rendering: Row[Any] | None, place: str | None) -> list[Finding]:
    gaps = []
    if billing is None:
        gaps.append(UNSET_BILLING_PROVIDER)
    if row.practitioner_id is None:
        gaps.append(UNNAMED_PROVIDER)
    elif rendering is None or rendering.npi is None or rendering.family_name is None:
        gaps.append(UNKNOWN_PROVIDER)
    if place is None:
        gaps.append(UNKNOWN_LOCATION)
    return [Finding(rule, Severity.ERROR, pointer, message) for rule, pointer, message in gaps]


async def _lines(session: Session, claim_id: UUID) -> list[Row[Any]]:
    return await session.all(select(*_LINE).where(ClaimLine.claim_id == claim_id).order_by(ClaimLine.number))


def _diagnoses(session: Session, row: Row[Any]) -> tuple[str, ...]:
    return tuple(json.loads(session.unseal(DIAGNOSES, row.diagnoses_sealed)))


def _billing(session: Session, row: Row[Any]) -> BillingProvider:
    return BillingProvider(
        name=Organization(name=row.organization_name),
        npi=row.npi,
        taxonomy=row.taxonomy_code,
        tax_id=session.unseal(EIN, row.ein_sealed),
        address=Address(**row.address),
    )


def _rendering(row: Row[Any]) -> RenderingProvider:
    name = PersonName(last=row.family_name, first=row.given_name or "")
    return RenderingProvider(name=name, npi=row.npi, taxonomy=row.taxonomy_code or "")


def _payer(row: Row[Any]) -> Payer:
    address = Address(**row.address) if row.address else None
    return Payer(name=row.name, payer_id=row.payer_id, filing_indicator=row.filing_indicator, address=address)


def _insured(session: Session, row: Row[Any]) -> tuple[Subscriber, Patient | None]:
    """Return the insured, and the patient when that is someone else (then birth date, sex and address are the patient's alone)."""
    known = coverage_shown(session, row)
    person = known.patient or known.subscriber
    name = PersonName(last=person.family_name, first=person.given_name, middle=person.middle_name, suffix=person.suffix)
    address = Address(**person.address.model_dump())
    if known.patient is None:
        subscriber = Subscriber(
            name=name, member_id=known.member_id, group_number=known.group_number,
            birth_on=person.birth_on, gender=person.sex, address=address,
        )  # fmt: skip
        return subscriber, None
    holder = known.subscriber
    holder_name = PersonName(
        last=holder.family_name, first=holder.given_name, middle=holder.middle_name, suffix=holder.suffix
    )
    patient = Patient(
        name=name,
        relationship=RELATIONSHIP_CODES[known.relationship],
        birth_on=person.birth_on,
        gender=person.sex,
        address=address,
    )
    return Subscriber(name=holder_name, member_id=known.member_id, group_number=known.group_number), patient


def _service_line(row: Row[Any], line: Row[Any]) -> ServiceLine:
    return ServiceLine(
        number=line.number,
        procedure=line.hcpcs_code,
        modifiers=tuple(line.modifiers),
        charge_cents=line.charge_cents,
        units=line.units,
        pointers=tuple(line.diagnosis_pointers),
        served_on=row.service_on,
        control_number=f"{row.control_number}-{line.number}",
    )
