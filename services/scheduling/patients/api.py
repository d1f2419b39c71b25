"""Patients over HTTP."""

from typing import Final
from uuid import UUID

from praxis.kit.http import ExpectedRevision, SessionDep, policy, router
from praxis.kit.paging import Page, decode, encode
from services.scheduling.patients import commands, queries
from services.scheduling.patients.domain import require_search
from services.scheduling.patients.schemas import ChangePatient, PatientOut, RegisterPatient, SearchPatients

routes = router("patients")

_SEARCH: Final = "scheduling.patients.search"


@routes.post("/v1/patients", status_code=201, **policy("scheduling.patients.register", "scheduling.patient:write"))
async def register(body: RegisterPatient, session: SessionDep) -> PatientOut:
    """Register a patient."""
    return PatientOut.model_validate(await commands.register_patient(session, body))


@routes.post("/v1/patients/search", **policy(_SEARCH, "scheduling.patient:read", key="never"))
async def search(body: SearchPatients, session: SessionDep) -> Page[PatientOut]:
    """Find patients by the beginning of the family name, birth date or medical record number.

    What is looked for comes in the body: URLs are kept in logs. No answer is kept for a repeat, so each search is audited.
    """
    require_search(body.family_prefix, body.birth_on, body.mrn)
    after = decode(session.keyring, _SEARCH, body.cursor) if body.cursor else None
    after_id = UUID(str(after[0])) if after else None
    rows = await queries.patients(session, body.family_prefix, body.birth_on, body.mrn, after_id, body.limit)
    shown = rows[: body.limit]
    for row in shown:
        session.touch("patient", row.id, patient_id=row.id)
    following = encode(session.keyring, _SEARCH, (str(shown[-1].id),)) if len(rows) > body.limit else None
    return Page[PatientOut](items=[PatientOut.model_validate(row) for row in shown], next=following)


@routes.get("/v1/patients/{patient_id}", **policy("scheduling.patients.get", "scheduling.patient:read"))
async def get(patient_id: UUID, session: SessionDep) -> PatientOut:
    """Return one patient."""
    row = await queries.patient(session, patient_id)
    session.touch("patient", row.id, row.revision, patient_id=row.id)
    return PatientOut.model_validate(row)


@routes.put("/v1/patients/{patient_id}", **policy("scheduling.patients.change", "scheduling.patient:write"))
async def change(patient_id: UUID, body: ChangePatient, session: SessionDep, expected: ExpectedRevision) -> PatientOut:
    """Replace a patient's record."""
    return PatientOut.model_validate(await commands.change_patient(session, patient_id, body, expected))
