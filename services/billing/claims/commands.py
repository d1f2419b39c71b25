"""Changing claims: drafted from a signed charge sheet, scrubbed until clean, then kept as the file that will be sent."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, insert, update
from sqlalchemy.dialects.postgresql import insert as upsert

from praxis.contracts.billing import ClaimReadiedV1
from praxis.kit.clock import local_date
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.practices import practice_time_zone
from praxis.kit.unit_of_work import Session
from services.billing.claims.domain import DIAGNOSES, X12, SignedSheet, next_state
from services.billing.claims.engine.claim import Batch, Contact, ProfessionalClaim, Receiver, Submitter
from services.billing.claims.engine.professional import Envelope, write_professional
from services.billing.claims.models import Claim, ClaimLine, ClaimNumber
from services.billing.claims.queries import claim, claim_of_sheet, examined
from services.billing.coverage.queries import coverage
from services.billing.payers.queries import billing_provider

_HEAD = (
    "charge_sheet_id", "visit_id", "patient_id", "coverage_id", "payer_id", "location_id", "practitioner_id",
    "service_on", "total_cents", "currency",
)  # fmt: skip
_NO_FILE = {"interchange_number": None, "x12_sealed": None, "x12_sha256": None}


async def draft_claim(session: Session, sheet: SignedSheet) -> Row[Any]:
    """Draft the claim of a signed charge sheet and scrub it; the claim returned is ready or held with its findings."""
    claim_id = new_id()
    values = {
        **{name: getattr(sheet, name) for name in _HEAD},
        "id": claim_id,
        "revision": 1,
        "state": "draft",
        "sheet_version": sheet.version,
        "control_number": f"C{await _next_number(session, 'claim'):08}",
        "diagnoses_sealed": session.seal(DIAGNOSES, json.dumps(sheet.diagnoses)),
        "findings": [],
        "correlation_id": sheet.story,
        "changed_at": session.now,
    }
    await session.execute(insert(Claim).values(values))
    await session.execute(insert(ClaimLine), [{**asdict(line), "claim_id": claim_id} for line in sheet.lines])
    return await scrub_claim(session, claim_id)


async def scrub_claim(session: Session, claim_id: UUID, expected: int | None = None) -> Row[Any]:
    """Check a claim against what is known now; a clean one becomes ready, with its 837P stored and announced.

    A ready claim is written anew when anything that its file says has changed, and held without a file when that breaks a rule;
    otherwise it stays as it is. Raises ClaimUnknown, Stale and TransitionRefused.
    """
    row = await claim(session, claim_id, lock=True)
    require_revision(row.revision, expected)
    covered = await coverage(session, row.coverage_id)
    result = await examined(session, row, covered, local_date(session.now, await practice_time_zone(session)))
    state = next_state(row.state, "ready" if result.is_clean else "hold", row.revision)
    sound = result.content if result.is_clean else None
    if sound and row.x12_sha256 and await _is_as_written(session, row, sound):
        session.touch("claim", row.id, row.revision, row.patient_id)
        return row
    findings = [asdict(finding) for finding in result.findings]
    file = await _file(session, row, sound) if sound else _NO_FILE
    await _change(session, row, {"state": state, "payer_id": covered.payer_id, "findings": findings, **file})
    changed = await claim(session, claim_id)
    if result.is_clean:
        session.publish(_announcement(changed), story=changed.correlation_id)
    return changed


async def void_claim(session: Session, charge_sheet_id: UUID, version: int) -> None:
    """Void the claim made of a signed version of a charge sheet, if there is one; raises TransitionRefused."""
    claim_id = await claim_of_sheet(session, charge_sheet_id, version)
    if claim_id is not None:
        row = await claim(session, claim_id, lock=True)
        await _change(session, row, {"state": next_state(row.state, "void", row.revision)})


async def _change(session: Session, row: Row[Any], values: dict[str, Any]) -> None:
    changed = {**values, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(Claim).where(Claim.id == row.id).values(changed))
    session.touch("claim", row.id, row.revision + 1, row.patient_id)


async def _file(session: Session, row: Row[Any], content: ProfessionalClaim) -> dict[str, Any]:
    """Return the columns of the claim's own interchange; its number is never used for another file."""
    number = await _next_number(session, "interchange")
    text = await _written(session, row, content, number, session.now)
    return {"interchange_number": number, "x12_sealed": session.seal(X12, text), "x12_sha256": _digest(text)}


async def _is_as_written(session: Session, row: Row[Any], content: ProfessionalClaim) -> bool:
    """Tell whether `content`, under the number and at the time of a ready claim's last change, is byte for byte its file."""
    text = await _written(session, row, content, row.interchange_number, row.changed_at)
    return bool(_digest(text) == row.x12_sha256)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def _written(
    session: Session, row: Row[Any], content: ProfessionalClaim, number: int, written_at: datetime
) -> str:
    billing = await billing_provider(session)
    batch = Batch(
        reference=row.control_number,
        written_at=written_at,
        submitter=Submitter(
            name=billing.organization_name, identifier=billing.submitter_id, contact=Contact(**billing.contact)
        ),
        receiver=Receiver(name=billing.receiver_name, identifier=billing.receiver_id),
        claims=(content,),
    )
    envelope = Envelope(
        sender=billing.submitter_id,
        receiver=billing.receiver_id,
        control_number=number,
        group_control_number=number,
        transaction_control_number=number,
        usage=billing.usage_indicator,
    )
    return write_professional(batch, envelope)


async def _next_number(session: Session, kind: Literal["claim", "interchange"]) -> int:
    statement = upsert(ClaimNumber).values(kind=kind, number=1)
    following = statement.on_conflict_do_update(
        index_elements=["practice_id", "kind"], set_={"number": ClaimNumber.number + 1}
    ).returning(ClaimNumber.number)
    number: int = await session.scalar(following)
    return number


def _announcement(row: Row[Any]) -> ClaimReadiedV1:
    return ClaimReadiedV1(
        claim_id=row.id,
        revision=row.revision,
        visit_id=row.visit_id,
        charge_sheet_id=row.charge_sheet_id,
        payer_id=row.payer_id,
        total_cents=row.total_cents,
        currency=row.currency,
    )
