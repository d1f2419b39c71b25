"""Hearing who may render services."""

from sqlalchemy.dialects.postgresql import insert

from praxis.contracts.staff import StaffMemberChangedV1, StaffMemberDeactivatedV1, StaffMemberRegisteredV1
from praxis.kit.inbox import Consumers
from praxis.kit.unit_of_work import Session
from services.billing.payers.models import RenderingProvider

consumers = Consumers()

StaffMemberEvent = StaffMemberRegisteredV1 | StaffMemberChangedV1 | StaffMemberDeactivatedV1


@consumers.on(StaffMemberRegisteredV1, StaffMemberChangedV1, StaffMemberDeactivatedV1)
async def keep_rendering_provider(session: Session, event: StaffMemberEvent) -> None:
    """Keep the newest revision of a staff member as payers know the person."""
    values = event.model_dump(include={"revision", "status", "family_name", "given_name", "npi", "taxonomy_code"})
    statement = insert(RenderingProvider).values({"id": event.staff_member_id, **values})
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["practice_id", "id"], set_=values, where=RenderingProvider.revision < event.revision
        )
    )
