"""Rules of items and packs."""

from typing import Final, Literal

from praxis.kit.problems import Conflict, FieldError, Invalid, NotFound, Problem

ItemKind = Literal["supply", "drug", "vaccine", "reagent", "office"]
Tracking = Literal["none", "lot"]
ItemStatus = Literal["active", "inactive"]
StorageClass = Literal["room", "refrigerated", "frozen"]

BY_LOT: Final = "lot"
RECALLABLE: Final = frozenset({"drug", "vaccine"})
"""Kinds whose lot and expiry must be known: a recall asks for the lot, an injection for the date."""

GTIN_LENGTHS: Final = frozenset({8, 12, 13, 14})


class ItemUnknown(NotFound):
    """No such item in this practice."""

    code = "item-unknown"
    title = "There is no such item"


class SkuTaken(Conflict):
    """Two items of a practice cannot have one stock keeping unit."""

    code = "sku-taken"
    title = "Another item has this SKU"


class GtinTaken(Conflict):
    """A trade item number names exactly one thing that can be scanned."""

    code = "gtin-taken"
    title = "Another item or pack has this GTIN"


class PackNameTaken(Conflict):
    """Two packs of one item cannot share a name."""

    code = "pack-name-taken"
    title = "This item has a pack of this name"


class ItemInactive(Conflict):
    """An inactive item is used up and not bought again."""

    code = "item-inactive"
    title = "This item is no longer kept"


REFUSALS: Final[dict[str, type[Problem]]] = {
    "items_sku": SkuTaken,
    "items_gtin": GtinTaken,
    "item_packs_gtin": GtinTaken,
    "item_packs_name": PackNameTaken,
}


def is_gtin(text: str) -> bool:
    """Tell whether `text` is a GTIN of 8, 12, 13 or 14 digits with a valid last one.

    Source: GS1 General Specifications, check digit calculation: weights 3 and 1 in turn from the right.
    """
    if len(text) not in GTIN_LENGTHS or not text.isascii() or not text.isdigit():
        return False
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(text[:-1])))
    return (10 - weighted % 10) % 10 == int(text[-1])


def gtin_14(text: str | None) -> str | None:
    """Return a GTIN filled with leading zeros to 14 digits, which is how it is stored; raises Invalid for a wrong one."""
    if text is None:
        return None
    if not is_gtin(text):
        message = "Send the 8, 12, 13 or 14 digits under the bar code; the last one is a check digit."
        raise Invalid(errors=[FieldError("/gtin", "gtin-check-digit", message)])
    return text.zfill(14)


def require_traceable(kind: str, tracking: str) -> None:
    """Refuse a drug or vaccine that would be kept without lots."""
    if kind in RECALLABLE and tracking != BY_LOT:
        raise Invalid(
            errors=[FieldError("/tracking", "lot-required", "Drugs and vaccines are tracked by lot: send lot.")]
        )
