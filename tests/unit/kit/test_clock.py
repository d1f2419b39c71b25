from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from praxis.kit import clock
from praxis.kit.clock import (
    LocalTimeAmbiguous,
    LocalTimeMissing,
    LocalTimeOutOfRange,
    StoppedClock,
    SystemClock,
    UnknownTimeZone,
    local_date,
    resolve_local,
    to_local,
    tzdata_version,
    zone,
)

NEW_YORK = "America/New_York"
ZONES = [NEW_YORK, "America/Phoenix", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca"]


def test_the_system_clock_is_aware_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_stopped_clock_moves_only_when_told() -> None:
    stopped = StoppedClock(datetime(2026, 3, 1, 7, tzinfo=timezone(timedelta(hours=-5))))
    assert stopped.now() == stopped.now() == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert stopped.advance(hours=2, minutes=30) == stopped.now() == datetime(2026, 3, 1, 14, 30, tzinfo=UTC)
    assert stopped.now().tzinfo is UTC


@given(st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(2100, 1, 1)), st.sampled_from(ZONES))
@example(datetime(2026, 11, 1, 5, 30), NEW_YORK)
@example(datetime(2026, 11, 1, 6, 30), NEW_YORK)
@example(datetime(2026, 4, 4, 15, 15), "Australia/Lord_Howe")
def test_every_instant_is_found_again_from_its_wall_time(naive: datetime, name: str) -> None:
    at = naive.replace(tzinfo=UTC)
    local = to_local(at, name)
    found = resolve_local(local.replace(tzinfo=None, fold=0), name, fold=local.fold)
    assert found == at
    assert found.tzinfo is UTC


def test_an_ordinary_wall_time_needs_no_fold() -> None:
    assert resolve_local(datetime(2026, 7, 1, 9), NEW_YORK) == datetime(2026, 7, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "wall", [datetime(2026, 3, 8, 2), datetime(2026, 3, 8, 2, 30), datetime(2026, 3, 8, 2, 59, 59, 999_999)]
)
def test_a_skipped_time_is_refused_with_the_nearest_valid_ones(wall: datetime) -> None:
    with pytest.raises(LocalTimeMissing) as refusal:
        resolve_local(wall, NEW_YORK, fold=1, pointer="/starts_at")
    problem = refusal.value.document("trace")
    assert (problem["status"], problem["code"]) == (422, "local-time-missing")
    assert problem["nearest"] == ["2026-03-08T01:59:00-05:00", "2026-03-08T03:00:00-04:00"]
    assert problem["errors"][0]["pointer"] == "/starts_at"
    assert all(resolve_local(datetime.fromisoformat(at).replace(tzinfo=None), NEW_YORK) for at in problem["nearest"])


@pytest.mark.parametrize(
    ("wall", "name", "nearest"),
    [
        (
            datetime(2026, 10, 4, 2, 15),
            "Australia/Lord_Howe",
            ["2026-10-04T01:59:00+10:30", "2026-10-04T02:30:00+11:00"],
        ),
        (datetime(2011, 12, 30, 12), "Pacific/Apia", ["2011-12-29T23:59:00-10:00", "2011-12-31T00:00:00+14:00"]),
    ],
    ids=["half an hour", "a whole day"],
)
def test_gaps_of_other_lengths_are_measured_too(wall: datetime, name: str, nearest: list[str]) -> None:
    with pytest.raises(LocalTimeMissing) as refusal:
        resolve_local(wall, name)
    assert refusal.value.facts["nearest"] == nearest


def test_the_minutes_beside_a_gap_are_valid() -> None:
    before, after = (resolve_local(wall, NEW_YORK) for wall in (datetime(2026, 3, 8, 1, 59), datetime(2026, 3, 8, 3)))
    assert after - before == timedelta(minutes=1)


def test_a_repeated_time_is_refused_until_a_fold_is_chosen() -> None:
    wall = datetime(2026, 11, 1, 1, 30)
    with pytest.raises(LocalTimeAmbiguous) as refusal:
        resolve_local(wall, NEW_YORK, pointer="/starts_at")
    problem = refusal.value.document("trace")
    assert (problem["status"], problem["code"]) == (422, "local-time-ambiguous")
    assert problem["candidates"] == ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"]
    assert problem["errors"][0]["pointer"] == "/starts_at"
    assert [resolve_local(wall, NEW_YORK, fold=fold) for fold in (0, 1)] == [
        datetime.fromisoformat(at) for at in problem["candidates"]
    ]


def test_the_fold_inside_a_wall_time_chooses_nothing() -> None:
    with pytest.raises(LocalTimeAmbiguous):
        resolve_local(datetime(2026, 11, 1, 1, 30, fold=1), NEW_YORK)


@pytest.mark.parametrize(("wall", "name"), [(datetime.max, NEW_YORK), (datetime.min, "Asia/Kathmandu")])
def test_an_instant_outside_the_calendar_is_refused(wall: datetime, name: str) -> None:
    with pytest.raises(LocalTimeOutOfRange):
        resolve_local(wall, name)


def test_an_aware_wall_time_and_a_naive_instant_are_mistakes() -> None:
    with pytest.raises(ValueError, match="naive"):
        resolve_local(datetime(2026, 7, 1, 9, tzinfo=UTC), NEW_YORK)
    with pytest.raises(ValueError, match="aware"):
        to_local(datetime(2026, 7, 1, 9), NEW_YORK)
    with pytest.raises(ValueError, match="aware"):
        StoppedClock(datetime(2026, 7, 1, 9))


def test_the_local_date_is_the_day_there() -> None:
    assert local_date(datetime(2026, 7, 1, 3, 59, tzinfo=UTC), NEW_YORK) == date(2026, 6, 30)


@pytest.mark.parametrize(
    "name", ["", "New York", "america/new_york", "EST+5", "../etc/passwd", "/etc/localtime", "America", "right/UTC",
             "localtime", "Factory", "a\0b", "x" * 5000]
)  # fmt: skip
def test_a_name_that_is_no_place_is_refused(name: str) -> None:
    with pytest.raises(UnknownTimeZone) as refusal:
        zone(name)
    assert (refusal.value.status, refusal.value.code) == (422, "unknown-time-zone")


def test_a_known_zone_is_found_by_its_exact_name() -> None:
    assert zone(NEW_YORK) == ZoneInfo(NEW_YORK)


def test_the_zone_rules_have_a_release() -> None:
    assert tzdata_version().startswith("20")


@pytest.mark.parametrize(
    ("file", "content", "release"),
    [("tzdata.zi", "# version 2031c\nR x\n", "2031c"), ("+VERSION", "2031d\n", "2031d"), ("other", "", "unknown")],
)
def test_a_system_folder_in_use_names_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str, release: str
) -> None:
    (tmp_path / "UTC").touch()
    (tmp_path / file).write_text(content)
    monkeypatch.setattr(clock, "TZPATH", ["/does/not/exist", str(tmp_path)])
    assert tzdata_version.__wrapped__() == release


def test_without_a_system_folder_the_package_names_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    import tzdata

    monkeypatch.setattr(clock, "TZPATH", [])
    assert tzdata_version.__wrapped__() == tzdata.IANA_VERSION
