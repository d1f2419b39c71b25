from random import Random
from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as DriverUUID
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit.locks import lock_key, sorted_ids

ITEM = UUID("0190f3a0-0000-7000-8000-000000000001")


@given(st.lists(st.text() | st.integers() | st.uuids()))
def test_every_key_fits_a_signed_64_bit_column(parts: list[str | int | UUID]) -> None:
    assert -(2**63) <= lock_key(*parts) < 2**63


def test_keys_of_both_signs_occur() -> None:
    assert {lock_key("reorder", number) < 0 for number in range(50)} == {True, False}


def test_a_key_never_changes() -> None:
    assert lock_key("reorder", ITEM, 3) == 123848144776160814


def test_parts_keep_their_borders_and_order() -> None:
    assert len({lock_key("ab"), lock_key("a", "b"), lock_key("b", "a"), lock_key("a", "b", ""), lock_key()}) == 5


def test_an_id_from_the_database_driver_makes_the_same_key() -> None:
    assert lock_key("reorder", DriverUUID(str(ITEM))) == lock_key("reorder", ITEM)


@given(st.lists(st.uuids()), st.randoms(use_true_random=False))
def test_ids_come_once_each_in_byte_order_whatever_order_they_came_in(ids: list[UUID], random: Random) -> None:
    mixed = [*ids, *ids]
    random.shuffle(mixed)
    assert sorted_ids(mixed) == sorted(set(ids), key=lambda one: one.bytes)


def test_the_same_id_from_the_driver_and_from_the_body_is_locked_once() -> None:
    assert sorted_ids([ITEM, DriverUUID(str(ITEM))]) == [ITEM]
