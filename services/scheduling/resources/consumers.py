"""What scheduling learns from staff."""

from praxis.contracts.staff import StaffMemberChangedV1, StaffMemberDeactivatedV1, StaffMemberRegisteredV1
from praxis.kit.inbox import Consumers
from praxis.kit.unit_of_work import Session
from services.scheduling.resources import commands

consumers = Consumers()


@consumers.on(StaffMemberRegisteredV1, StaffMemberChangedV1, StaffMemberDeactivatedV1)
async def keep_practitioner(session: Session, event: commands.StaffMemberEvent) -> None:
    """Keep who works here, in which role, and whether still."""
    await commands.keep_practitioner(session, event)
