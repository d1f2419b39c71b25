import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from uuid import UUID

import pytest
from asyncpg.pgproto.pgproto import UUID as DriverUUID
from hypothesis import given
from hypothesis import strategies as st

from praxis.kit import ids
from praxis.kit.ids import derived_id, made_at, new_id

EVENT = UUID("0190f3a0-0000-7000-8000-000000000001")


def stop_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    nanoseconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    monkeypatch.setattr(ids, "time", SimpleNamespace(time_ns=lambda: nanoseconds))


@pytest.fixture(autouse=True)
def _own_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_ticks", ids._Ticks())


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_ids_of_one_stopped_millisecond_ascend_past_the_end_of_the_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, datetime(2050, 1, 1, tzinfo=UTC))
    made = [new_id() for _ in range(10_000)]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert {one.version for one in made} == {7}
    assert made_at(made[-1]) - made_at(made[0]) <= timedelta(milliseconds=5)


def test_the_counter_does_not_tell_how_many_ids_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = set()
    for year in range(2050, 2080):
        stop_clock(monkeypatch, datetime(year, 1, 1, tzinfo=UTC))
        counters.add(new_id().int >> 64 & 0xFFF)
    assert len(counters) > 10
    assert max(counters) < 2048


def test_ids_ascend_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clock(monkeypatch, datetime(2050, 1, 1, tzinfo=UTC))
    before = new_id()
    stop_clock(monkeypatch, datetime(2049, 1, 1, tzinfo=UTC))
    assert new_id() > before


def test_ids_made_by_many_threads_are_unique_and_ascend_in_each() -> None:
    made: list[list[UUID]] = [[] for _ in range(8)]
    threads = [threading.Thread(target=lambda own=own: own.extend(new_id() for _ in range(2_000))) for own in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for own in made for one in own}) == 16_000
    assert all(own == sorted(own) for own in made)


@given(st.integers(min_value=0, max_value=10**11))
def test_an_id_tells_the_millisecond_it_was_made_in(milliseconds: int) -> None:
    at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "_ticks", ids._Ticks())
        stop_clock(patch, at + timedelta(microseconds=999))
        assert made_at(new_id()) == at


def test_an_id_without_a_time_does_not_tell_one() -> None:
    with pytest.raises(ValueError, match="UUIDv8"):
        made_at(derived_id(EVENT, "line", 1))


def test_a_derived_id_never_changes() -> None:
    assert derived_id(EVENT, "charge-line", 3, EVENT) == UUID("d4b3a4d2-5103-8aaa-9b3b-77de93751061")


part = st.text() | st.integers() | st.uuids()


@given(st.lists(part, max_size=4), st.lists(part, max_size=4))
def test_other_parts_make_another_derived_id(some: list[str | int | UUID], others: list[str | int | UUID]) -> None:
    assert (derived_id(EVENT, *some) == derived_id(EVENT, *others)) == (some == others)


@pytest.mark.parametrize(
    ("some", "others"), [(("1",), (1,)), (("a", "b"), ("ab",)), (("a", "b"), ("b", "a")), ((str(EVENT),), (EVENT,))]
)
def test_parts_keep_their_kind_order_and_borders(some: tuple[str | int | UUID, ...], others: tuple[str, ...]) -> None:
    assert derived_id(EVENT, *some) != derived_id(EVENT, *others)


def test_an_id_from_the_database_driver_derives_the_same_id() -> None:
    read = DriverUUID(str(EVENT))
    assert derived_id(read, read) == derived_id(EVENT, EVENT)


def test_a_derived_id_is_a_uuid_of_version_8() -> None:
    made = derived_id(EVENT)
    assert (made.version, made.variant) == (8, "specified in RFC 4122")
