"""Changing coverages."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, update

from praxis.kit.clock import local_date
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.practices import practice_time_zone
from praxis.kit.unit_of_work import Session
from services.billing.coverage.domain import INSURED, MEMBER_ID, PatientMerged, require_births, require_end
from services.billing.coverage.models import Coverage
from services.billing.coverage.queries import coverage, merged_into
from services.billing.coverage.schemas import ChangeCoverage, EndCoverage, Insured, RecordCoverage

_SEALED = {"member_id", "subscriber", "patient"}


async def record_coverage(session: Session, body: RecordCoverage) -> Row[Any]:
    """Put a coverage on file, also of a patient not heard of yet; raises as `change_coverage`, and PatientMerged."""
    await _require_births(session, body)
    if survivor := await merged_into(session, body.patient_id):
        raise PatientMerged(facts={"merged_into": survivor})
    coverage_id = new_id()
    values = {**_columns(session, body), "id": coverage_id, "revision": 1, "changed_at": session.now}
    await session.execute(insert(Coverage).values(values))
    return await _touched(session, coverage_id)


async def change_coverage(session: Session, coverage_id: UUID, body: ChangeCoverage, expected: int | None) -> Row[Any]:
    """Replace a coverage; raises CoverageUnknown, Stale, CoverageKnown, CoveragesOverlap, and Invalid for an impossible birth."""
    await _require_births(session, body)
    return await _change(session, await _locked(session, coverage_id, expected), _columns(session, body))


async def end_coverage(session: Session, coverage_id: UUID, body: EndCoverage, expected: int | None) -> Row[Any]:
    """Record the last valid day; raises CoverageUnknown, Stale, and Invalid for a day before the first one."""
    row = await _locked(session, coverage_id, expected)
    require_end(row.valid_from, body.ended_on)
    return await _change(session, row, {"valid_until": body.ended_on})


async def _require_births(session: Session, body: ChangeCoverage) -> None:
    people = {"/subscriber/birth_on": body.subscriber, "/patient/birth_on": body.patient}
    births = {pointer: person.birth_on for pointer, person in people.items() if person}
    require_births(births, local_date(session.now, await practice_time_zone(session)))


async def _locked(session: Session, coverage_id: UUID, expected: int | None) -> Row[Any]:
    row = await coverage(session, coverage_id, lock=True)
    require_revision(row.revision, expected)
    return row


async def _change(session: Session, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
    changed = {**values, "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(Coverage).where(Coverage.id == row.id).values(changed))
    return await _touched(session, row.id)


async def _touched(session: Session, coverage_id: UUID) -> Row[Any]:
    row = await coverage(session, coverage_id)
    session.touch("coverage", row.id, row.revision, row.patient_id)
    return row


def _columns(session: Session, body: ChangeCoverage) -> dict[str, Any]:
    insured = Insured(subscriber=body.subscriber, patient=body.patient)
    return {
        **body.model_dump(exclude=_SEALED),
        "member_id_sealed": session.seal(MEMBER_ID, body.member_id),
        "member_id_index": session.keyring.blind_index(session.practice_id, MEMBER_ID, body.member_id),
        "insured_sealed": session.seal(INSURED, insured.model_dump_json()),
    }
