"""Builders for billing: a fictional practice ready to bill, its visits, and a judge of 837P files."""

import io
import logging
import warnings
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from praxis.contracts.inventory import ConsumedLine, StockConsumedV1
from praxis.contracts.scheduling import LocationChangedV1, PerformedTask, VisitAmendedV1, VisitCompletedV1
from praxis.contracts.staff import StaffMemberRegisteredV1
from praxis.kit.ids import derived_id, new_id
from praxis.kit.testing import Harness, PracticeUnderTest

ADDRESS = {"line1": "1 Sample Street", "city": "Exampleville", "state": "NY", "postal_code": "100019998"}
PAYER = {"name": "Fictional Health Plan", "payer_id": "FHP01", "filing_indicator": "CI", "timely_filing_days": 90}
BILLING_PROVIDER = {
    "organization_name": "Sample Family Practice",
    "npi": "1234567893",
    "ein": "987654321",
    "taxonomy_code": "207Q00000X",
    "address": ADDRESS,
    "contact": {"name": "Billing Desk", "phone": "2125550100"},
    "submitter_id": "SAMPLE01",
    "receiver_name": "Fictional Clearing",
    "receiver_id": "CLEAR01",
    "usage_indicator": "T",
}
SUBSCRIBER = {
    "family_name": "Testperson",
    "given_name": "Tilda",
    "birth_on": "1980-05-17",
    "sex": "F",
    "address": {"line1": "2 Invented Road", "city": "Exampleville", "state": "NY", "postal_code": "10001"},
}
COVERAGE = {
    "rank": "primary",
    "member_id": "MEM4711X",
    "group_number": "GRP9",
    "relationship": "self",
    "subscriber": SUBSCRIBER,
    "valid_from": "2026-01-01",
}
FEES = [
    {"hcpcs_code": "G0402", "charge_cents": 17500},
    {"hcpcs_code": "G0439", "charge_cents": 13250},
    {"hcpcs_code": "J3301", "charge_cents": 215},
    {"hcpcs_code": "G0439", "modifier": "25", "charge_cents": 14000},
]
CODING = {
    "diagnoses": ["E11.9", "I10"],
    "lines": [
        {"hcpcs_code": "G0402", "units": 1, "diagnosis_pointers": [1, 2]},
        {"hcpcs_code": "J3301", "units": 4, "diagnosis_pointers": [2]},
    ],
}
CODED_CENTS = 17500 + 4 * 215
OTHER_CODING = {"diagnoses": ["E11.9"], "lines": [{"hcpcs_code": "G0439", "units": 1, "diagnosis_pointers": [1]}]}
OTHER_CENTS = 13250


@dataclass(slots=True)
class BillingDesk:
    """A practice with one payer, a default fee schedule, a provider, a location and one covered patient."""

    practice: PracticeUnderTest
    payer_id: str
    patient_id: UUID
    location_id: UUID
    provider_id: UUID

    def visit(self, **changes: Any) -> VisitCompletedV1:
        """Return the event of a completed visit of this morning; `changes` replace fields."""
        now = self.practice.clock.now()
        facts = {
            "visit_id": new_id(),
            "revision": 5,
            "patient_id": self.patient_id,
            "visit_type_code": "annual-exam",
            "location_id": self.location_id,
            "practitioner_id": self.provider_id,
            "checked_in_at": now,
            "completed_at": now,
            "tasks": (PerformedTask(code="vitals", quantity=1),),
        }
        return VisitCompletedV1(**{**facts, **changes})

    async def sheet(self, visit_id: UUID) -> dict[str, Any]:
        """Return the only charge sheet of a visit."""
        [summary] = (await self.practice.get(f"/v1/charge-sheets?visit_id={visit_id}")).json()["items"]
        return (await self.practice.get(f"/v1/charge-sheets/{summary['id']}")).json()

    async def opened(self, **changes: Any) -> dict[str, Any]:
        """Complete a visit and return its open charge sheet."""
        visit = self.visit(**changes)
        await self.practice.deliver(visit)
        return await self.sheet(visit.visit_id)

    async def coded(self, sheet: dict[str, Any], coding: dict[str, Any]) -> dict[str, Any]:
        """Code a sheet as the provider."""
        path = f"/v1/charge-sheets/{sheet['id']}"
        reply = await self.practice.put(path, coding, role="provider", revision=sheet["revision"])
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def sign(self, sheet: dict[str, Any], key: str | None = None) -> Any:
        """Sign a sheet as the provider and return the reply, whatever it is."""
        return await self.practice.post(
            f"/v1/charge-sheets/{sheet['id']}/sign", role="provider", key=key or str(new_id())
        )

    async def signed(self, sheet: dict[str, Any], coding: dict[str, Any] | None = None) -> dict[str, Any]:
        """Code and sign a sheet."""
        reply = await self.sign(await self.coded(sheet, coding or CODING))
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def claims(self, visit_id: str) -> list[dict[str, Any]]:
        """Return the claims of a visit as they were drafted."""
        items = (await self.practice.get(f"/v1/claims?visit_id={visit_id}")).json()["items"]
        return [(await self.practice.get(f"/v1/claims/{item['id']}")).json() for item in items]

    async def balances(self) -> dict[str, int]:
        """Return account -> debits less credits."""
        trial = (await self.practice.get("/v1/ledger/trial-balance")).json()
        assert trial["balance_cents"] == 0
        return {account["account"]: account["balance_cents"] for account in trial["accounts"]}


async def unset_desk(billing: Harness) -> BillingDesk:
    """Return a practice with payer, fees and a covered patient, but without billing provider, location and provider."""
    practice = await billing.practice()
    payer = (await practice.post("/v1/payers", PAYER)).json()
    schedule = {"name": "Standard", "valid_from": "2026-01-01", "items": FEES}
    reply = await practice.post("/v1/fee-schedules", schedule)
    assert reply.status_code == 201, reply.text
    desk = BillingDesk(practice, payer["id"], new_id(), new_id(), derived_id(practice.practice_id, "provider"))
    covered = await practice.post(
        "/v1/coverages", {**COVERAGE, "patient_id": desk.patient_id, "payer_id": desk.payer_id}
    )
    assert covered.status_code == 201, covered.text
    return desk


async def ready_desk(billing: Harness) -> BillingDesk:
    """Return a practice that can bill."""
    desk = await unset_desk(billing)
    reply = await desk.practice.put("/v1/billing-provider", BILLING_PROVIDER, revision=0)
    assert reply.status_code == 200, reply.text
    await desk.practice.deliver(location(desk))
    await desk.practice.deliver(provider(desk))
    return desk


def location(desk: BillingDesk) -> LocationChangedV1:
    """Return the event that tells the place of service."""
    return LocationChangedV1(
        location_id=desk.location_id,
        revision=1,
        code="main",
        time_zone="America/New_York",
        place_of_service="11",
        status="active",
    )


def provider(desk: BillingDesk) -> StaffMemberRegisteredV1:
    """Return the event that tells who renders."""
    return StaffMemberRegisteredV1(
        staff_member_id=desk.provider_id, revision=1, role="provider", status="active", public_name="Ada Sample",
        family_name="Sample", given_name="Ada", npi="1245319599", taxonomy_code="207Q00000X", hired_on="2025-03-01",
    )  # fmt: skip


def amended(visit: VisitCompletedV1, **changes: Any) -> VisitAmendedV1:
    """Return the visit as corrected, one revision later unless told otherwise."""
    facts = visit.model_dump()
    return VisitAmendedV1(**{**facts, "revision": visit.revision + 1, **changes})


def used(visit_id: UUID, revision: int = 5, quantity: int = 4, cost_cents: int = 812) -> StockConsumedV1:
    """Return the event of supplies used: one with a billing code, one without."""
    lots = {"lot_id": new_id(), "unit_cost_micros": 1_930_000}
    return StockConsumedV1(
        usage_id=derived_id(visit_id, "usage"),
        revision=revision,
        visit_id=visit_id,
        location_id=new_id(),
        lines=(
            ConsumedLine(item_id=new_id(), quantity=quantity, hcpcs_code="J3301", **lots),
            ConsumedLine(item_id=new_id(), quantity=2, **lots),
        ),
        cost_cents=cost_cents,
        currency="USD",
        occurred_at="2027-02-01T14:00:00Z",
    )


def accepted_by_pyx12(text: str) -> bool:
    """Tell whether pyx12 finds nothing wrong with an 837P by the guide's own map."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyx12.params import ParamsBase
        from pyx12.x12n_document import x12n_document

        logging.getLogger("pyx12").setLevel(logging.CRITICAL)
        return x12n_document(ParamsBase(), io.StringIO(text), io.StringIO(), None)
