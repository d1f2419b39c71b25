"""Who signs renders: a person of the practice, under the own visit or expressly in another's place."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from praxis.contracts.billing import ChargeCapturedV1
from praxis.kit.auth import Principal
from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.billing import CODING, BillingDesk, amended, ready_desk


async def as_provider(
    desk: BillingDesk, person: UUID | None, method: str, path: str, body: Any, revision: int
) -> httpx.Response:
    """Send a request of a user with the provider's role who is linked to `person`, or to nobody."""
    principal = Principal(new_id(), desk.practice.practice_id, ("provider",), "staff", staff_member_id=person)
    token = desk.practice.harness.minter.mint(principal, "billing", desk.practice.clock.now())
    headers = {"authorization": f"Bearer {token}", "if-match": f'"{revision}"'}
    key = str(new_id()) if method == "POST" else None
    return await desk.practice.request(method, path, body, role=None, key=key, headers=headers)


async def test_a_user_who_is_nobody_of_the_practice_neither_codes_nor_signs(billing: Harness):
    desk = await ready_desk(billing)
    sheet = await desk.coded(await desk.opened(practitioner_id=None), CODING)
    path = f"/v1/charge-sheets/{sheet['id']}"
    for method, where, body in (("PUT", path, CODING), ("POST", f"{path}/sign", {"covering": True})):
        reply = await as_provider(desk, None, method, where, body, sheet["revision"])
        assert (reply.status_code, reply.json()["code"]) == (403, "signer-not-linked")
        assert "staff member" in reply.json()["detail"]
    assert (await desk.sheet(sheet["visit_id"]))["revision"] == sheet["revision"]


@pytest.mark.parametrize("body", [{}, {"covering": False}])
async def test_anothers_visit_is_not_signed_by_the_way_and_stays_coded(billing: Harness, body):
    desk = await ready_desk(billing)
    colleague = new_id()
    sheet = await desk.coded(await desk.opened(practitioner_id=colleague), CODING)
    reply = await desk.practice.post(f"/v1/charge-sheets/{sheet['id']}/sign", body, role="provider", key=str(new_id()))
    assert (reply.status_code, reply.json()["code"]) == (409, "not-your-visit")
    assert reply.json()["practitioner_id"] == str(colleague)
    assert (await desk.sheet(sheet["visit_id"]))["state"] == "coded"
    assert await desk.practice.announced(ChargeCapturedV1) == []


async def test_who_covers_for_a_colleague_is_who_the_claim_names(billing: Harness):
    desk = await ready_desk(billing)
    sheet = await desk.coded(await desk.opened(practitioner_id=new_id()), CODING)
    path = f"/v1/charge-sheets/{sheet['id']}/sign"
    reply = await desk.practice.post(path, {"covering": True}, role="provider", key=str(new_id()))
    assert reply.status_code == 200, reply.text
    [claim] = await desk.claims(sheet["visit_id"])
    assert (claim["state"], claim["practitioner_id"]) == ("ready", str(desk.provider_id))
    [row] = await desk.practice.sql("select signed_by, rendered_by from signed_charges")
    assert (row["signed_by"], row["rendered_by"]) == (desk.practice.actor("provider").id, desk.provider_id)


async def test_the_claim_names_the_signer_also_when_the_visit_is_then_given_to_a_colleague(billing: Harness):
    desk = await ready_desk(billing)
    visit = desk.visit()
    await desk.practice.deliver(visit)
    sheet = await desk.coded(await desk.sheet(visit.visit_id), CODING)
    await desk.practice.deliver(amended(visit, practitioner_id=new_id()))
    again = await desk.coded(await desk.sheet(visit.visit_id), CODING)
    assert (await desk.sign(sheet)).json()["code"] == "not-your-visit"
    reply = await as_provider(
        desk, desk.provider_id, "POST", f"/v1/charge-sheets/{sheet['id']}/sign", {"covering": True}, again["revision"]
    )
    assert reply.status_code == 200, reply.text
    [claim] = await desk.claims(sheet["visit_id"])
    assert claim["practitioner_id"] == str(desk.provider_id)
