"""What stock hears from scheduling."""

from sqlalchemy.dialects.postgresql import insert

from praxis.contracts.scheduling import LocationChangedV1
from praxis.kit.inbox import Consumers
from praxis.kit.unit_of_work import Session
from services.inventory.stock.models import Location

consumers = Consumers()


@consumers.on(LocationChangedV1)
async def keep_location(session: Session, event: LocationChangedV1) -> None:
    """Keep the newest revision of a location; it completes a stub."""
    values = {
        "revision": event.revision,
        "code": event.code,
        "time_zone": event.time_zone,
        "status": event.status,
    }
    statement = insert(Location).values({"id": event.location_id, **values})
    newer = Location.revision < event.revision
    keys = [Location.practice_id, Location.id]
    await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=values, where=newer))
