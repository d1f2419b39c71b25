"""First expired, first out; expiry days; what may explain an adjustment."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.problems import Invalid, TransitionRefused
from services.inventory.stock.domain import (
    Holding,
    allocate,
    fefo_key,
    is_expired,
    is_usable,
    require_adjustable,
    require_lot_move,
    require_receivable,
    summary,
)

ITEM = UUID(int=1)
START = datetime(2027, 1, 1, tzinfo=UTC)
TODAY = date(2027, 6, 30)

holding_facts = st.builds(
    Holding,
    item_id=st.just(ITEM),
    lot_id=st.integers(1, 4).map(lambda number: UUID(int=number)),
    place_id=st.integers(1, 3).map(lambda number: UUID(int=number)),
    expires_on=st.none() | st.dates(date(2027, 1, 1), date(2027, 1, 5)),
    received_at=st.integers(0, 3).map(lambda days: START + timedelta(days=days)),
    on_hand=st.integers(0, 9),
)
shelves = st.lists(holding_facts, max_size=8, unique_by=lambda h: (h.lot_id, h.place_id))


def holding(number: int, expires_on: date | None, on_hand: int = 10) -> Holding:
    return Holding(ITEM, UUID(int=number), UUID(int=9), expires_on, START, on_hand)


@given(shelves, st.integers(0, 60))
def test_an_allocation_gives_what_was_asked_or_all_there_is(shelf, quantity):
    picks = allocate(shelf, quantity)
    assert sum(pick.quantity for pick in picks) == min(quantity, sum(h.on_hand for h in shelf))
    assert all(pick.quantity > 0 for pick in picks)


@given(shelves, st.integers(1, 60))
def test_no_lot_gives_more_than_it_has(shelf, quantity):
    there = {(h.lot_id, h.place_id): h.on_hand for h in shelf}
    picks = allocate(shelf, quantity)
    assert len({(pick.lot_id, pick.place_id) for pick in picks}) == len(picks)
    assert all(pick.quantity <= there[pick.lot_id, pick.place_id] for pick in picks)


@given(shelves, st.integers(1, 60))
def test_a_lot_is_touched_only_when_every_earlier_one_is_used_up(shelf, quantity):
    taken = {(pick.lot_id, pick.place_id): pick.quantity for pick in allocate(shelf, quantity)}
    left = [(h, h.on_hand - taken.get((h.lot_id, h.place_id), 0)) for h in sorted(shelf, key=fefo_key)]
    touched = [number for number, (h, _) in enumerate(left) if (h.lot_id, h.place_id) in taken]
    assert all(remaining == 0 for _, remaining in left[: max(touched, default=0)])


def test_lots_without_an_expiry_date_come_last():
    never, late, early = holding(1, None), holding(2, date(2030, 1, 1)), holding(3, date(2027, 7, 1))
    assert [pick.lot_id.int for pick in allocate([never, late, early], 25)] == [3, 2, 1]


@pytest.mark.parametrize(("expires_on", "expired"), [(TODAY, False), (TODAY - timedelta(days=1), True), (None, False)])
def test_a_lot_is_good_until_the_end_of_its_last_day(expires_on, expired):
    assert is_expired(expires_on, TODAY) is expired


@pytest.mark.parametrize("status", ["hold", "quarantined", "recalled"])
def test_only_an_available_lot_is_usable(status):
    assert is_usable("available", None, TODAY)
    assert not is_usable(status, None, TODAY)


@pytest.mark.parametrize(("status", "target"), [("hold", "hold"), ("recalled", "available"), ("quarantined", "hold")])
def test_a_recalled_or_quarantined_lot_is_not_released_by_hand(status, target):
    with pytest.raises(TransitionRefused) as refused:
        require_lot_move(status, target, 3)
    assert target not in refused.value.facts["allowed"]
    require_lot_move("available", "hold", 3)
    require_lot_move("hold", "available", 3)


@pytest.mark.parametrize(
    ("reason", "quantity", "pointer"),
    [("count", 0, "/quantity"), ("damaged", 1, "/reason"), ("lost", 1, "/reason"), ("found", -1, "/reason")],
)
def test_an_adjustment_needs_a_reason_of_its_direction(reason, quantity, pointer):
    with pytest.raises(Invalid) as refused:
        require_adjustable(reason, quantity)
    assert [error.pointer for error in refused.value.errors] == [pointer]
    for fitting, sign in (("count", 1), ("count", -1), ("found", 1), ("expired", -1)):
        require_adjustable(fitting, sign)


@pytest.mark.parametrize(
    ("tracking", "recallable", "lot_code", "expires_on", "rules"),
    [
        ("lot", False, "A1", None, []),
        ("lot", False, None, None, ["lot-as-tracked"]),
        ("none", False, "A1", None, ["lot-as-tracked"]),
        ("lot", True, "A1", None, ["expiry-required"]),
        ("lot", True, "A1", TODAY, []),
        ("lot", True, "A1", TODAY - timedelta(days=1), ["lot-expired"]),
    ],
)
def test_a_received_line_says_as_much_of_its_lot_as_the_item_is_tracked_by(
    tracking, recallable, lot_code, expires_on, rules
):
    errors = require_receivable("/lines/0", tracking, recallable, lot_code, expires_on, TODAY)
    assert [error.rule for error in errors] == rules


def test_held_stock_counts_as_held_even_when_it_has_expired():
    yesterday = TODAY - timedelta(days=1)
    rows = [
        (1, "available", None, "stock"),
        (2, "available", yesterday, "stock"),
        (4, "hold", yesterday, "stock"),
        (8, "available", None, "quarantine"),
    ]
    assert summary(rows, TODAY) == {"on_hand": 15, "usable": 1, "expired": 2, "held": 12}
