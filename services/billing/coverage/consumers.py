"""Hearing which patients there are."""

from sqlalchemy.dialects.postgresql import insert

from praxis.contracts.scheduling import PatientChangedV1, PatientMergedV1, PatientRegisteredV1
from praxis.kit.inbox import Consumers
from praxis.kit.unit_of_work import Session
from services.billing.coverage.models import Patient

consumers = Consumers()


@consumers.on(PatientRegisteredV1, PatientChangedV1, PatientMergedV1)
async def keep_patient(session: Session, event: PatientRegisteredV1 | PatientChangedV1 | PatientMergedV1) -> None:
    """Keep the newest revision of a patient: the id, and the record that replaced it."""
    values = event.model_dump(include={"revision", "status", "merged_into"})
    statement = insert(Patient).values({"id": event.patient_id, **values})
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["practice_id", "id"], set_=values, where=Patient.revision < event.revision
        )
    )
