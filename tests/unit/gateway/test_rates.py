"""Token buckets on a clock of the test's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rates import Buckets, TokenBucket
from gateway.settings import Rate
from praxis.kit.problems import TooMany

RATE = Rate("staff", per_second=2, burst=4)


def test_a_burst_passes_and_the_next_waits_for_the_flow():
    bucket = TokenBucket(RATE, RATE.burst, 0.0)
    assert [bucket.take(0.0) for _ in range(5)] == [True, True, True, True, False]
    assert bucket.retry_after == 1
    assert not bucket.take(0.4)
    assert bucket.take(0.5)
    assert not bucket.take(0.5)


def test_an_idle_bucket_holds_no_more_than_its_burst():
    bucket = TokenBucket(RATE, 0, 0.0)
    assert [bucket.take(1_000.0) for _ in range(5)].count(True) == 4


def test_a_clock_that_is_set_back_neither_refills_nor_blocks():
    bucket = TokenBucket(RATE, 1, 1_000.0)
    assert bucket.take(10.0)
    assert not bucket.take(10.0)
    assert bucket.take(10.5)


def test_the_fields_tell_quota_rest_and_when_it_is_whole_again():
    bucket = TokenBucket(RATE, RATE.burst, 0.0)
    bucket.take(0.0)
    assert dict(bucket.fields) == {b"ratelimit-policy": b'"staff";q=4;w=2', b"ratelimit": b'"staff";r=3;t=1'}


def test_callers_do_not_share_and_the_one_unseen_for_longest_is_forgotten():
    buckets = Buckets(Rate("address", 1, 1), most=2)
    buckets.take("a", 0.0)
    buckets.take("b", 0.0)
    with pytest.raises(TooMany) as refusal:
        buckets.take("a", 0.0)
    assert refusal.value.retry_after == 1
    buckets.take("c", 0.0)
    with pytest.raises(TooMany):
        buckets.require_left("a", 0.0)
    buckets.take("b", 0.0)


def test_looking_takes_nothing():
    buckets = Buckets(Rate("address", 1, 1))
    buckets.require_left("a", 0.0)
    buckets.require_left("a", 0.0)
    buckets.take("a", 0.0)
    with pytest.raises(TooMany):
        buckets.require_left("a", 0.0)


@given(st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=60))
def test_never_more_passes_than_the_burst_and_what_flowed_in(pauses):
    bucket, now, passed = TokenBucket(RATE, RATE.burst, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        passed += bucket.take(now)
    assert passed <= RATE.burst + now * RATE.per_second + 1e-6
