"""Changing charge sheets: opened by visits, coded and signed by providers, voided and begun anew when a visit is amended."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from praxis.contracts.billing import ChargeCapturedV1, ChargedLine
from praxis.contracts.inventory import StockConsumedV1
from praxis.contracts.scheduling import VisitAmendedV1, VisitCompletedV1
from praxis.kit.clock import local_date
from praxis.kit.http import require_revision
from praxis.kit.ids import derived_id
from praxis.kit.money import CURRENCY
from praxis.kit.practices import practice_time_zone
from praxis.kit.unit_of_work import Session
from services.billing.charges.domain import (
    DIAGNOSES,
    SELF_PAY,
    line_charges,
    next_state,
    no_coverage_on,
    plain_icd,
    require_linked,
    require_own_visit,
    require_self_pay,
    require_sound_coding,
)
from services.billing.charges.models import ChargeLine, ChargeSheet, SignedCharge, VisitSupplies
from services.billing.charges.queries import charge_lines, charge_sheet, diagnoses, signed_charge
from services.billing.charges.schemas import CodeChargeSheet, SignChargeSheet
from services.billing.claims.commands import draft_claim, void_claim
from services.billing.claims.domain import ChargedService, SignedSheet
from services.billing.coverage.queries import active_primary
from services.billing.ledger.commands import post_entry, reverse_entry
from services.billing.ledger.domain import INSURANCE_RECEIVABLE, PATIENT_RECEIVABLE, Cause, charged, moved_to_insurance
from services.billing.payers.queries import fee_tables

_VISIT = {"visit_type_code", "patient_id", "location_id", "practitioner_id"}
_COPIED = ("number", "hcpcs_code", "modifiers", "units", "diagnosis_pointers")


async def open_sheet(session: Session, visit: VisitCompletedV1 | VisitAmendedV1, story: UUID) -> None:
    """Open the charge sheet of a visit, or bring an open one to a newer revision of the visit; an older one changes nothing.

    A signed version is voided first: its entry reversed, its claim voided, and a new version started with the same coding.
    """
    sheet_id = derived_id(visit.visit_id, "charge-sheet")
    seen = {**visit.model_dump(include=_VISIT), "visit_revision": visit.revision, "served_at": visit.checked_in_at}
    fresh = {
        "id": sheet_id,
        "visit_id": visit.visit_id,
        "revision": 1,
        "version": 1,
        "state": "open",
        "correlation_id": story,
    }
    opened = upsert(ChargeSheet).values(**fresh, **seen, changed_at=session.now).on_conflict_do_nothing()
    if await session.execute(opened):
        return
    sheet = await charge_sheet(session, sheet_id, lock=True)
    if sheet.visit_revision < visit.revision:
        state = next_state(sheet.state, "amend", sheet.revision)
        version = await _void(session, sheet) if sheet.state == "signed" else sheet.version
        await _change(session, sheet, {**seen, "state": state, "version": version, "self_pay_reason": None})


async def keep_supplies(session: Session, usage: StockConsumedV1) -> None:
    """Keep the newest revision of what a visit used up, also before anything else is known of the visit."""
    values = {
        "revision": usage.revision,
        "lines": [line.model_dump(mode="json") for line in usage.lines],
        "cost_cents": usage.cost_cents,
        "currency": usage.currency,
        "occurred_at": usage.occurred_at,
    }
    statement = upsert(VisitSupplies).values(visit_id=usage.visit_id, **values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["practice_id", "visit_id"], set_=values, where=VisitSupplies.revision < usage.revision
        )
    )


async def code_charge_sheet(session: Session, sheet_id: UUID, body: CodeChargeSheet, expected: int | None) -> Row[Any]:
    """Replace the coding of a sheet; raises SignerNotLinked, ChargeSheetUnknown, Stale, TransitionRefused, Invalid."""
    require_linked(session.principal.staff_member_id)
    codes = [plain_icd(code) for code in body.diagnoses]
    require_sound_coding(codes, body.lines)
    sheet = await charge_sheet(session, sheet_id, lock=True)
    require_revision(sheet.revision, expected)
    state = next_state(sheet.state, "code", sheet.revision)
    of_version = {"charge_sheet_id": sheet.id, "version": sheet.version}
    await session.execute(
        delete(ChargeLine).where(ChargeLine.charge_sheet_id == sheet.id, ChargeLine.version == sheet.version)
    )
    rows = [{**of_version, "number": number, **line.model_dump()} for number, line in enumerate(body.lines, 1)]
    await session.execute(insert(ChargeLine), rows)
    await _change(session, sheet, {"state": state, "diagnoses_sealed": session.seal(DIAGNOSES, json.dumps(codes))})
    return await charge_sheet(session, sheet_id)


async def sign_charge_sheet(session: Session, sheet_id: UUID, body: SignChargeSheet, expected: int | None) -> Row[Any]:
    """Price a coded sheet and make it final: charge announced, claim drafted when a payer covers the day, entry posted.

    Raises SignerNotLinked, ChargeSheetUnknown, Stale, TransitionRefused, NotYourVisit, FeeMissing and LineTooDear.
    """
    signer_id = require_linked(session.principal.staff_member_id)
    sheet = await charge_sheet(session, sheet_id, lock=True)
    require_revision(sheet.revision, expected)
    state = next_state(sheet.state, "sign", sheet.revision)
    require_own_visit(signer_id, sheet.practitioner_id, body.covering)
    service_on = local_date(sheet.served_at, await practice_time_zone(session))
    cover = await active_primary(session, sheet.patient_id, service_on)
    lines = await charge_lines(session, sheet.id, sheet.version)
    tables = await fee_tables(
        session, cover.payer_id if cover else None, service_on, {line.hcpcs_code for line in lines}
    )
    services = _priced(lines, line_charges(lines, tables, service_on))
    await _store_prices(session, sheet, services)
    signed = _signature(session, sheet, cover, services) | {"service_on": service_on, "rendered_by": signer_id}
    await session.execute(insert(SignedCharge).values(signed))
    await _change(session, sheet, {"state": state, "self_pay_reason": signed["self_pay_reason"]})
    session.publish(_captured(sheet, signed, services), story=sheet.correlation_id)
    if cover:
        await draft_claim(session, _signed_sheet(session, sheet, cover, signed, services))
    receivable = INSURANCE_RECEIVABLE if cover else PATIENT_RECEIVABLE
    await post_entry(session, _cause(sheet, "signed"), charged(receivable, signed["total_cents"]), sheet.correlation_id)
    return await charge_sheet(session, sheet_id)


async def bill_coverage(session: Session, sheet_id: UUID, expected: int | None) -> Row[Any]:
    """Move a signed charge from the patient to the payer whose coverage became known, at the price signed, and draft its claim.

    Raises ChargeSheetUnknown, Stale and CoverageNotBillable.
    """
    sheet = await charge_sheet(session, sheet_id, lock=True)
    require_revision(sheet.revision, expected)
    require_self_pay(sheet.state, sheet.self_pay_reason)
    signed = await signed_charge(session, sheet.id, sheet.version)
    assert signed is not None
    cover = await active_primary(session, sheet.patient_id, signed.service_on)
    if cover is None:
        raise no_coverage_on(signed.service_on)
    lines = await charge_lines(session, sheet.id, sheet.version)
    services = _priced(lines, [line.charge_cents for line in lines])
    await _change(session, sheet, {"self_pay_reason": None})
    await draft_claim(session, _signed_sheet(session, sheet, cover, signed._asdict(), services))
    moved = moved_to_insurance(signed.total_cents)
    await post_entry(session, _cause(sheet, "coverage"), moved, sheet.correlation_id)
    return await charge_sheet(session, sheet_id)


def _priced(lines: Sequence[Row[Any]], charges: Sequence[int]) -> tuple[ChargedService, ...]:
    return tuple(
        ChargedService(
            line.number,
            line.hcpcs_code,
            tuple(line.modifiers),
            line.units,
            tuple(line.diagnosis_pointers),
            charge_cents,
        )
        for line, charge_cents in zip(lines, charges, strict=True)
    )


async def _store_prices(session: Session, sheet: Row[Any], services: Sequence[ChargedService]) -> None:
    statement = (
        update(ChargeLine)
        .where(ChargeLine.charge_sheet_id == sheet.id, ChargeLine.version == sheet.version)
        .where(ChargeLine.number == bindparam("of_number"))
        .values(charge_cents=bindparam("cents"))
    )
    await session.execute(statement, [{"of_number": s.number, "cents": s.charge_cents} for s in services])


def _signature(
    session: Session, sheet: Row[Any], cover: Row[Any] | None, services: Sequence[ChargedService]
) -> dict[str, Any]:
    return {
        "charge_sheet_id": sheet.id,
        "version": sheet.version,
        "signed_at": session.now,
        "signed_by": session.principal.id,
        "coverage_id": cover.id if cover else None,
        "self_pay_reason": None if cover else SELF_PAY,
        "diagnoses_sealed": sheet.diagnoses_sealed,
        "total_cents": sum(service.charge_cents for service in services),
        "currency": CURRENCY,
    }


def _signed_sheet(
    session: Session, sheet: Row[Any], cover: Row[Any], signed: dict[str, Any], services: tuple[ChargedService, ...]
) -> SignedSheet:
    return SignedSheet(
        charge_sheet_id=sheet.id,
        version=sheet.version,
        visit_id=sheet.visit_id,
        patient_id=sheet.patient_id,
        coverage_id=cover.id,
        payer_id=cover.payer_id,
        location_id=sheet.location_id,
        practitioner_id=signed["rendered_by"],
        service_on=signed["service_on"],
        diagnoses=diagnoses(session, sheet),
        lines=services,
        total_cents=signed["total_cents"],
        currency=signed["currency"],
        story=sheet.correlation_id,
    )


async def _void(session: Session, sheet: Row[Any]) -> int:
    """Undo what the signed version did and return the next version, prefilled with the same coding, unpriced."""
    signed = await signed_charge(session, sheet.id, sheet.version)
    assert signed is not None
    copied = select(
        ChargeLine.charge_sheet_id, literal(sheet.version + 1), *(ChargeLine.__table__.c[name] for name in _COPIED)
    ).where(ChargeLine.charge_sheet_id == sheet.id, ChargeLine.version == sheet.version)
    await session.execute(insert(ChargeLine).from_select(["charge_sheet_id", "version", *_COPIED], copied))
    await void_claim(session, sheet.id, sheet.version)
    session.publish(_voided(sheet, signed), story=sheet.correlation_id)
    if signed.self_pay_reason and not sheet.self_pay_reason:
        await _reverse(session, sheet, "coverage", "coverage-voided")
    await _reverse(session, sheet, "signed", "voided")
    return int(sheet.version) + 1


async def _reverse(session: Session, sheet: Row[Any], act: str, undoing: str) -> None:
    await reverse_entry(session, _cause(sheet, act), _cause(sheet, undoing).purpose, sheet.correlation_id)


async def _change(session: Session, sheet: Row[Any], values: dict[str, Any]) -> None:
    changed = {**values, "revision": sheet.revision + 1, "changed_at": session.now}
    await session.execute(update(ChargeSheet).where(ChargeSheet.id == sheet.id).values(changed))
    session.touch("charge-sheet", sheet.id, sheet.revision + 1, sheet.patient_id)


def _cause(sheet: Row[Any], act: str) -> Cause:
    return Cause("charge-sheet", sheet.id, f"{act}-{sheet.version}")


def _captured(sheet: Row[Any], signed: dict[str, Any], services: Sequence[ChargedService]) -> ChargeCapturedV1:
    lines = tuple(
        ChargedLine(hcpcs_code=s.hcpcs_code, modifiers=s.modifiers, units=s.units, charge_cents=s.charge_cents)
        for s in services
    )
    return ChargeCapturedV1(
        charge_sheet_id=sheet.id,
        revision=sheet.revision + 1,
        visit_id=sheet.visit_id,
        status="signed",
        service_on=signed["service_on"],
        lines=lines,
        total_cents=signed["total_cents"],
        currency=signed["currency"],
    )


def _voided(sheet: Row[Any], signed: Row[Any]) -> ChargeCapturedV1:
    return ChargeCapturedV1(
        charge_sheet_id=sheet.id,
        revision=sheet.revision + 1,
        visit_id=sheet.visit_id,
        status="voided",
        service_on=signed.service_on,
        lines=(),
        total_cents=0,
        currency=signed.currency,
    )
