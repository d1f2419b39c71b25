"""Kits and usage over HTTP."""

from uuid import UUID

from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.inventory.usage import commands, queries
from services.inventory.usage.schemas import AddKit, ChangeKit, KitOut, UsageOut

routes = router("usage")


@routes.post("/v1/kits", status_code=201, **policy("inventory.kits.add", "inventory.kit:write"))
async def add_kit(body: AddKit, session: SessionDep) -> KitOut:
    """Add a kit and the codes that use it up."""
    [kit] = await queries.shown_kits(session, [await commands.add_kit(session, body)])
    return kit


@routes.get("/v1/kits", **policy("inventory.kits.list", "inventory.kit:read"))
async def find_kits(session: SessionDep, page: PageDep) -> Page[KitOut]:
    """List kits by code."""
    kits = await queries.shown_kits(session, await queries.kits(session, page.after, page.limit))
    return page.page(kits, KitOut, lambda kit: (kit.code,))


@routes.get("/v1/kits/{kit_id}", **policy("inventory.kits.get", "inventory.kit:read"))
async def get_kit(kit_id: UUID, session: SessionDep) -> KitOut:
    """Return one kit as it is now."""
    row = await queries.kit(session, kit_id)
    session.touch("kit", row.id, row.revision)
    [kit] = await queries.shown_kits(session, [row])
    return kit


@routes.put("/v1/kits/{kit_id}", **policy("inventory.kits.change", "inventory.kit:write"))
async def change_kit(kit_id: UUID, body: ChangeKit, session: SessionDep, expected: ExpectedRevision) -> KitOut:
    """Replace what a kit holds from now on; visits completed before keep the version of their time."""
    [kit] = await queries.shown_kits(session, [await commands.change_kit(session, kit_id, body, expected)])
    return kit


@routes.get("/v1/usages", **policy("inventory.usages.list", "inventory.usage:read"))
async def find_usages(session: SessionDep, visit_id: UUID) -> Page[UsageOut]:
    """List the usage of a visit: one record, or none when the visit is not heard of."""
    rows = await queries.usages_of(session, visit_id)
    for row in rows:
        session.touch("usage", row.id, row.revision)
    return Page[UsageOut](items=[await queries.shown_usage(session, row) for row in rows])


@routes.get("/v1/usages/{usage_id}", **policy("inventory.usages.get", "inventory.usage:read"))
async def get_usage(usage_id: UUID, session: SessionDep) -> UsageOut:
    """Return what a visit used up."""
    row = await queries.usage(session, usage_id)
    session.touch("usage", row.id, row.revision)
    return await queries.shown_usage(session, row)
