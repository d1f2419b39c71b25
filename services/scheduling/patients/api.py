"""Patients over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query

from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.scheduling.patients import commands, queries
from services.scheduling.patients.domain import require_search
from services.scheduling.patients.schemas import ChangePatient, PatientOut, RegisterPatient

routes = router("patients")

_Text = Annotated[str | None, Query(min_length=1, max_length=60)]


@routes.post("/v1/patients", status_code=201, **policy("scheduling.patients.register", "scheduling.patient:write"))
async def register(body: RegisterPatient, session: SessionDep) -> PatientOut:
    """Register a patient."""
    return PatientOut.model_validate(await commands.register_patient(session, body))


@routes.get("/v1/patients", **policy("scheduling.patients.list", "scheduling.patient:read"))
async def find(
    session: SessionDep, page: PageDep, family_prefix: _Text = None, birth_on: date | None = None, mrn: _Text = None
) -> Page[PatientOut]:
    """Find patients by the beginning of the family name, birth date or medical record number."""
    require_search(family_prefix, birth_on, mrn)
    after_id = UUID(str(page.after[0])) if page.after else None
    rows = await queries.patients(session, family_prefix, birth_on, mrn, after_id, page.limit)
    for row in rows[: page.limit]:
        session.touch("patient", row.id, patient_id=row.id)
    return page.page(rows, PatientOut, lambda row: (str(row.id),))


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
