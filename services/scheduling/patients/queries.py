"""Reading patients."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, tuple_

from praxis.kit.unit_of_work import Session
from services.scheduling.patients.domain import PatientUnknown, prefix_range
from services.scheduling.patients.models import Patient

_HIDDEN = ("practice_id", "changed_at", "mrn_key")
_COLUMNS = tuple(column for column in Patient.__table__.columns if column.name not in _HIDDEN)
_SORT = (Patient.family_key, Patient.given_key, Patient.id)


async def patient(session: Session, patient_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one patient, locked for change when asked; raises PatientUnknown."""
    statement: Select[Any] = select(*_COLUMNS).where(Patient.id == patient_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise PatientUnknown
    return row


async def patients(
    session: Session,
    family_prefix: str | None,
    birth_on: date | None,
    mrn: str | None,
    after_id: UUID | None,
    limit: int,
) -> list[Row[Any]]:
    """Return the matching patients by normalised name, `limit` + 1 at most, behind the patient `after_id`."""
    statement: Select[Any] = select(*_COLUMNS).order_by(*_SORT).limit(limit + 1)
    if family_prefix is not None:
        start, end = prefix_range(family_prefix)
        statement = statement.where(Patient.family_key >= start, Patient.family_key < end)
    if birth_on is not None:
        statement = statement.where(Patient.birth_on == birth_on)
    if mrn is not None:
        statement = statement.where(Patient.mrn_key == mrn.upper())
    if after_id is not None:
        # The cursor names the last patient by id and not by name: it can be read without the key.
        last = await patient(session, after_id)
        statement = statement.where(tuple_(*_SORT) > tuple_(last.family_key, last.given_key, last.id))
    return await session.all(statement)


async def namesakes(session: Session, family_key: str, given_key: str, birth_on: date) -> list[UUID]:
    """Return the ids of patients with these normalised names and birth date."""
    same = (Patient.family_key == family_key, Patient.given_key == given_key, Patient.birth_on == birth_on)
    return await session.scalars(select(Patient.id).where(*same).order_by(Patient.id))
