"""Hearing of visits and of what they used up."""

from praxis.contracts.inventory import StockConsumedV1
from praxis.contracts.scheduling import VisitAmendedV1, VisitCompletedV1
from praxis.kit.inbox import Consumers
from praxis.kit.unit_of_work import Session
from services.billing.charges import commands

consumers = Consumers()


@consumers.on(VisitCompletedV1, VisitAmendedV1)
async def open_charge_sheet(session: Session, event: VisitCompletedV1 | VisitAmendedV1) -> None:
    """Open the visit's charge sheet, or open it again when the visit changed."""
    await commands.open_sheet(session, event, session.cause.correlation_id or event.visit_id)


@consumers.on(StockConsumedV1)
async def keep_supplies(session: Session, event: StockConsumedV1) -> None:
    """Keep what the visit used up beside its charge sheet, as cost and as lines that may be billed."""
    await commands.keep_supplies(session, event)
