"""What a visit's use must grow or shrink by, what goes back, and which kit lines are refused."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.problems import Invalid
from services.inventory.usage.domain import Use, quantity_changes, require_begun, require_kit_lines, take_back

START = datetime(2027, 1, 1, tzinfo=UTC)
ITEMS = [UUID(int=number) for number in range(1, 4)]

use_facts = st.builds(
    Use,
    movement_id=st.uuids(),
    item_id=st.sampled_from(ITEMS),
    lot_id=st.uuids(),
    place_id=st.uuids(),
    expires_on=st.none() | st.dates(date(2027, 1, 1), date(2027, 1, 5)),
    received_at=st.just(START),
    remaining=st.integers(1, 9),
)


@given(st.dictionaries(st.sampled_from(ITEMS), st.integers(0, 20)), st.lists(use_facts, max_size=8))
def test_applying_the_changes_gives_exactly_what_is_requested(requested, uses):
    used = Counter[UUID]()
    for use in uses:
        used[use.item_id] += use.remaining
    changes = quantity_changes(requested, uses)
    assert 0 not in changes.values()
    assert all(used[item] + changes.get(item, 0) == requested.get(item, 0) for item in ITEMS)


@given(st.lists(use_facts, max_size=8, unique_by=lambda use: use.movement_id), st.integers(0, 60))
def test_taking_back_never_exceeds_a_use_and_starts_with_the_latest_expiry(uses, quantity):
    back = take_back(uses, quantity)
    assert sum(units for _, units in back) == min(quantity, sum(use.remaining for use in uses))
    assert all(0 < units <= use.remaining for use, units in back)
    dates = [use.expires_on or date.max for use, _ in back]
    assert dates == sorted(dates, reverse=True)
    kept = [use.expires_on or date.max for use in uses if use not in [chosen for chosen, _ in back]]
    assert not kept or not dates or max(kept) <= min(dates)


@pytest.mark.parametrize(
    ("lines", "pointers"),
    [
        ([(ITEMS[0], "auto"), (ITEMS[1], "confirm")], []),
        ([(ITEMS[1], "auto")], ["/lines/0/mode"]),
        ([(ITEMS[2], "confirm")], ["/lines/0/item_id"]),
        ([(ITEMS[0], "auto"), (ITEMS[0], "confirm")], ["/lines/0/item_id", "/lines/1/item_id"]),
    ],
)
def test_a_kit_uses_up_no_vaccine_unseen_and_names_each_item_once(lines, pointers):
    kinds = {ITEMS[0]: "supply", ITEMS[1]: "vaccine"}
    found = []
    try:
        require_kit_lines(lines, kinds)
    except Invalid as refusal:
        found = [error.pointer for error in refusal.errors]
    assert found == pointers


def test_a_kit_cannot_begin_in_the_future():
    require_begun(START, START)
    with pytest.raises(Invalid):
        require_begun(START + timedelta(seconds=1), START)
