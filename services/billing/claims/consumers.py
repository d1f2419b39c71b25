"""Hearing what held claims wait for."""

from sqlalchemy.dialects.postgresql import insert

from praxis.contracts.scheduling import LocationChangedV1
from praxis.contracts.staff import StaffMemberChangedV1, StaffMemberRegisteredV1
from praxis.kit.inbox import Consumers
from praxis.kit.unit_of_work import Session
from services.billing.claims.commands import scrub_claim
from services.billing.claims.models import ServiceLocation
from services.billing.claims.queries import held_claims

consumers = Consumers()


@consumers.on(LocationChangedV1)
async def keep_location(session: Session, event: LocationChangedV1) -> None:
    """Keep the newest revision of a location, then scrub the claims that are held there."""
    values = event.model_dump(include={"revision", "code", "place_of_service", "status"})
    statement = insert(ServiceLocation).values({"id": event.location_id, **values})
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["practice_id", "id"], set_=values, where=ServiceLocation.revision < event.revision
        )
    )
    for claim_id in await held_claims(session, location_id=event.location_id):
        await scrub_claim(session, claim_id)


@consumers.on(StaffMemberRegisteredV1, StaffMemberChangedV1)
async def scrub_claims_of_provider(session: Session, event: StaffMemberRegisteredV1 | StaffMemberChangedV1) -> None:
    """Scrub the held claims of a provider again: what they miss may just have come.

    Registered behind the consumer that keeps providers, so that it sees what the same event said.
    """
    for claim_id in await held_claims(session, practitioner_id=event.staff_member_id):
        await scrub_claim(session, claim_id)
