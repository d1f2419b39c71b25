"""Setting up the demo practice over the public API: whatever is missing by its code or name is added, the rest stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from praxis.kit.permissions import ASSISTANT, BILLER, LEAD, MANAGER
from praxis.runtime.demo import house
from praxis.runtime.demo.api import Api, Json, wait_for

EARLY, LATE = timedelta(days=90), timedelta(days=400)
"""How long lots keep from the day of their delivery."""
EARLY_UNITS = 6
ENOUGH = 200
"""Units of each supply below which a delivery is made."""


@dataclass(frozen=True, slots=True)
class House:
    """Ids of what the demo practice consists of, by role, code or SKU."""

    location_id: str
    rooms: tuple[str, ...]
    visit_types: Mapping[str, str]
    staff: Mapping[str, str]
    place_id: str
    items: Mapping[str, str]
    payer_id: str


def set_up(api: Api) -> House:
    """Add what the demo practice misses and return it once every service knows its people."""
    location_id = _ensured(api, LEAD, "/v1/locations", "code", house.LOCATION)
    rooms = tuple(_room(api, location_id, name) for name in house.ROOMS)
    kinds = {kind["code"]: _ensured(api, LEAD, "/v1/visit-types", "code", kind) for kind in house.VISIT_TYPES}
    staff = _staff(api)
    items = _items(api)
    place_id = _place(api, location_id)
    _kits(api, items)
    return House(location_id, rooms, kinds, staff, place_id, items, _money(api))


def receive_stock(api: Api, demo: House, sku: str) -> None:
    """Post a delivery of a supply in two lots, of which the one on the later line expires first."""
    lines = [_line(demo, sku, LATE, ENOUGH), _line(demo, sku, EARLY, EARLY_UNITS)]
    api.post(ASSISTANT, "/v1/receipts", {"lines": lines})


def stock_up(api: Api, demo: House) -> None:
    """Receive what runs low, and bring the scarce supply to one unit where there is none: its kit needs two."""
    low = [sku for sku in house.SUPPLIES if sku != house.SCARCE and _usable(api, demo, sku) < ENOUGH]
    lines = [_line(demo, sku, LATE, ENOUGH) for sku in low]
    if _usable(api, demo, house.SCARCE) == 0:
        lines.append(_line(demo, house.SCARCE, LATE, 1))
    if lines:
        api.post(ASSISTANT, "/v1/receipts", {"lines": lines})


def today() -> date:
    """Return the day it is at the demo location."""
    return datetime.now(UTC).astimezone(ZoneInfo(house.ZONE)).date()


def _usable(api: Api, demo: House, sku: str) -> int:
    return int(api.get(ASSISTANT, f"/v1/stock/{demo.items[sku]}")["usable"])


def _line(demo: House, sku: str, keeps: timedelta, quantity: int) -> Json:
    expires_on = today() + keeps
    return {
        "item_id": demo.items[sku],
        "place_id": demo.place_id,
        # The lot is named after its expiry: deliveries of one day are one lot, those of another day are another.
        "lot_code": f"EX{expires_on:%y%m%d}",
        "expires_on": expires_on.isoformat(),
        "quantity": quantity,
        "unit_cost_micros": house.SUPPLIES[sku][2],
    }


def _ensured(api: Api, role: str, path: str, name: str, body: Json) -> str:
    """Return the id of the thing that has this body's value in the field `name`, added now where there is none."""
    for found in api.every(role, path):
        if found[name] == body[name]:
            return str(found["id"])
    return str(api.post(role, path.partition("?")[0], body)["id"])


def _room(api: Api, location_id: str, name: str) -> str:
    return _ensured(
        api, LEAD, f"/v1/rooms?location_id={location_id}", "name", {"location_id": location_id, "name": name}
    )


def _place(api: Api, location_id: str) -> str:
    path = f"/v1/places?location_id={location_id}"
    return _ensured(api, LEAD, path, "name", {"location_id": location_id, "name": "Supply room"})


def _staff(api: Api) -> dict[str, str]:
    """Register the provider and the medical assistant with their credentials, and wait until both can be booked."""
    staff = {}
    for person, proof in ((house.PROVIDER, house.LICENSE), (house.ASSISTANT, house.CERTIFICATE)):
        role = person["role"]
        staff[role] = _ensured(api, MANAGER, f"/v1/staff-members?role={role}", "family_name", person)
        _credential(api, staff[role], proof)
    _link_doctor(api, staff["provider"])
    for member_id in staff.values():
        wait_for("the practitioner in scheduling", lambda at=f"/v1/practitioners/{member_id}": api.find(LEAD, at))  # type: ignore[misc]
    return staff


def _link_doctor(api: Api, member_id: str) -> None:
    """Say which person signs in as the doctor: only who is known may code and sign."""
    for user in api.every(MANAGER, "/v1/users"):
        if "provider" in user["roles"] and user["staff_member_id"] != member_id:
            body = {"roles": user["roles"], "staff_member_id": member_id}
            api.put(MANAGER, f"/v1/users/{user['id']}", body, revision=user["revision"])


def _credential(api: Api, member_id: str, proof: Mapping[str, str]) -> None:
    known = api.every(MANAGER, "/v1/credentials", staff_member_id=member_id)
    if not any(credential["number"] == proof["number"] for credential in known):
        body = {"staff_member_id": member_id, "valid_from": "2024-01-01", **proof}
        recorded = api.post(MANAGER, "/v1/credentials", body)
        api.post(MANAGER, f"/v1/credentials/{recorded['id']}/verify", {}, revision=recorded["revision"])


def _items(api: Api) -> dict[str, str]:
    known = {item["sku"]: str(item["id"]) for item in api.every(LEAD, "/v1/items")}
    wanted = [*(_supply(sku) for sku in house.SUPPLIES), house.DRUG]
    for item in wanted:
        if item["sku"] not in known:
            known[item["sku"]] = str(api.post(LEAD, "/v1/items", item)["id"])
    return known


def _supply(sku: str) -> Json:
    name, unit, _ = house.SUPPLIES[sku]
    return {
        "sku": sku,
        "name": name,
        "kind": "supply",
        "base_unit": unit,
        "tracking": "lot",
        "hcpcs_code": house.BILLED.get(sku),
    }


def _kits(api: Api, items: Mapping[str, str]) -> None:
    for code, (units, trigger) in house.KITS.items():
        lines: list[Any] = [_kit_line(items[sku], quantity, "auto") for sku, quantity in units.items()]
        confirmed = house.CONFIRMED.get(code, {})
        lines += [_kit_line(items[sku], quantity, "confirm") for sku, quantity in confirmed.items()]
        body = {"code": code, "name": f"Kit for {trigger}", "lines": lines, "triggers": [trigger]}
        _ensured(api, LEAD, "/v1/kits", "code", body)


def _kit_line(item_id: str, quantity: int, mode: str) -> Json:
    return {"item_id": item_id, "quantity": quantity, "mode": mode}


def _money(api: Api) -> str:
    """Set the billing provider and the prices where they are missing, and return the id of the demo payer."""
    if api.find(BILLER, "/v1/billing-provider") is None:
        api.put(BILLER, "/v1/billing-provider", house.BILLING_PROVIDER, revision=0)
    fees = [{"hcpcs_code": code, "charge_cents": cents} for code, cents in house.FEES.items()]
    schedule = {"name": "Demo prices", "valid_from": house.PRICES_FROM.isoformat(), "items": fees}
    _ensured(api, BILLER, "/v1/fee-schedules", "name", schedule)
    return _ensured(api, BILLER, "/v1/payers", "payer_id", house.PAYER)
