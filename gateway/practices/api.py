"""The practice over HTTP; opening one is the operator's and has no endpoint."""

from gateway.practices import queries
from gateway.practices.schemas import PracticeOut
from praxis.kit.http import SessionDep, policy, router

routes = router("practice")


@routes.get("/v1/practice", **policy("gateway.practices.get", "gateway.practice:read"))
async def get(session: SessionDep) -> PracticeOut:
    """Return the practice of whoever asks."""
    row = await queries.practice(session)
    session.touch("practice", row.id, row.revision)
    return PracticeOut.model_validate(row)
