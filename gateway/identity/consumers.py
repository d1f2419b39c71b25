"""What identity hears from staff."""

from gateway.identity import commands
from praxis.contracts.staff import StaffMemberDeactivatedV1
from praxis.kit.inbox import Consumers
from praxis.kit.unit_of_work import Session

consumers = Consumers()


@consumers.on(StaffMemberDeactivatedV1)
async def end_access(session: Session, event: StaffMemberDeactivatedV1) -> None:
    """End the user and every session of a person who has left."""
    await commands.end_access_of(session, event.staff_member_id)
