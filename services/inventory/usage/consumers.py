"""What usage hears from scheduling."""

from collections import Counter

from praxis.contracts.scheduling import VisitAmendedV1, VisitCompletedV1
from praxis.kit.inbox import Consumers
from praxis.kit.unit_of_work import Session
from services.inventory.usage import commands
from services.inventory.usage.domain import DoneVisit

consumers = Consumers()


@consumers.on(VisitCompletedV1, VisitAmendedV1)
async def consume_kit(session: Session, event: VisitCompletedV1 | VisitAmendedV1) -> None:
    """Use up the kits of the visit's type and of each task done; the newest revision of the visit wins."""
    codes: Counter[str] = Counter()
    if event.completed_at:
        codes[event.visit_type_code] += 1
        for task in event.tasks:
            codes[task.code] += task.quantity
    at = event.completed_at or session.now
    await commands.use_supplies(session, DoneVisit(event.visit_id, event.revision, event.location_id, codes, at))
