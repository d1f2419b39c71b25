"""Registering and changing patients."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, update

from praxis.contracts.scheduling import PatientChangedV1, PatientRegisteredV1
from praxis.kit.clock import local_date
from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.practices import practice_time_zone
from praxis.kit.unit_of_work import Session
from services.scheduling.patients.domain import generated_mrn, name_key, require_born, require_unknown
from services.scheduling.patients.models import Patient
from services.scheduling.patients.queries import namesakes, patient
from services.scheduling.patients.schemas import ChangePatient, RegisterPatient
from services.scheduling.resources.commands import add_resource


async def register_patient(session: Session, body: RegisterPatient) -> Row[Any]:
    """Open a patient's record; raises PatientProbablyKnown, MrnTaken, NameUnusable and Invalid for a birth to come."""
    patient_id = new_id()
    record = await _record(session, body)
    await _require_unknown(session, record, body.confirm_new)
    given = {"id": patient_id, "revision": 1, "status": "active", "mrn": body.mrn or generated_mrn(patient_id)}
    await session.execute(insert(Patient).values({**record, **given, "confirmed_new": body.confirm_new}))
    await add_resource(session, patient_id, "patient")
    return await _announced(session, patient_id, PatientRegisteredV1)


async def change_patient(session: Session, patient_id: UUID, body: ChangePatient, expected: int | None) -> Row[Any]:
    """Replace a patient's record; raises Stale and as `register_patient`."""
    row = await patient(session, patient_id, lock=True)
    require_revision(row.revision, expected)
    record = await _record(session, body)
    values = {**record, "revision": row.revision + 1}
    # Who was told apart from a namesake once need not be told apart again by each correction of a phone number.
    if _identity(record) != _identity(row._mapping):
        await _require_unknown(session, record, body.confirm_new)
        values["confirmed_new"] = body.confirm_new
    await session.execute(update(Patient).where(Patient.id == patient_id).values(values))
    return await _announced(session, patient_id, PatientChangedV1)


async def _record(session: Session, body: RegisterPatient | ChangePatient) -> dict[str, Any]:
    require_born(body.birth_on, local_date(session.now, await practice_time_zone(session)))
    return {
        **body.model_dump(exclude={"confirm_new"}),
        "family_key": name_key(body.family_name, "/family_name"),
        "given_key": name_key(body.given_name, "/given_name"),
        "changed_at": session.now,
    }


def _identity(record: Mapping[Any, Any]) -> tuple[str, str, date]:
    return record["family_key"], record["given_key"], record["birth_on"]


async def _require_unknown(session: Session, record: Mapping[str, Any], confirm_new: bool) -> None:
    require_unknown(await namesakes(session, *_identity(record)), confirm_new)


async def _announced(
    session: Session, patient_id: UUID, event: type[PatientRegisteredV1] | type[PatientChangedV1]
) -> Row[Any]:
    row = await patient(session, patient_id)
    session.touch("patient", row.id, row.revision, patient_id=row.id)
    session.publish(event(patient_id=row.id, revision=row.revision, status=row.status))
    return row
