"""Token buckets: how often one caller may ask, told in the answer's fields (IETF draft-ietf-httpapi-ratelimit-headers)."""

import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from gateway.settings import Rate
from praxis.kit.problems import TooMany

Fields = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class TokenBucket:
    """`tokens` are left as of `at`, in seconds of any clock; one that runs backwards refills nothing and breaks nothing."""

    rate: Rate
    tokens: float
    at: float

    def refill(self, now: float) -> None:
        """Add what has flowed in since the last look."""
        self.tokens = min(self.rate.burst, self.tokens + max(0.0, now - self.at) * self.rate.per_second)
        self.at = now

    def take(self, now: float) -> bool:
        """Take one token, or tell that there is none."""
        self.refill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    @property
    def retry_after(self) -> int:
        """Return in how many whole seconds one token will be there."""
        return max(1, math.ceil((1 - self.tokens) / self.rate.per_second))

    @property
    def fields(self) -> Fields:
        """Return the quota and what is left of it."""
        rate = self.rate
        window = max(1, math.ceil(rate.burst / rate.per_second))
        full_in = max(0, math.ceil((rate.burst - self.tokens) / rate.per_second))
        return [
            (b"ratelimit-policy", f'"{rate.name}";q={rate.burst};w={window}'.encode()),
            (b"ratelimit", f'"{rate.name}";r={int(self.tokens)};t={full_in}'.encode()),
        ]


class Buckets:
    """The buckets of the callers seen last, `most` of them; a forgotten caller starts with a full one.

    They live in one process: with n gateway processes a caller has up to n times the rate.
    """

    def __init__(self, rate: Rate, most: int = 20_000) -> None:
        self._rate = rate
        self._most = most
        self._of: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def take(self, caller: Hashable, now: float) -> Fields:
        """Take one token of `caller` and return the answer's fields; raises TooMany."""
        bucket = self._bucket(caller, now)
        if not bucket.take(now):
            raise TooMany(retry_after=bucket.retry_after)
        return bucket.fields

    def require_left(self, caller: Hashable, now: float) -> None:
        """Raise TooMany when `caller` has no token, without taking one."""
        bucket = self._bucket(caller, now)
        bucket.refill(now)
        if bucket.tokens < 1:
            raise TooMany(retry_after=bucket.retry_after)

    def _bucket(self, caller: Hashable, now: float) -> TokenBucket:
        bucket = self._of.get(caller)
        if bucket is None:
            bucket = self._of[caller] = TokenBucket(self._rate, self._rate.burst, now)
            if len(self._of) > self._most:
                self._of.popitem(last=False)
        else:
            self._of.move_to_end(caller)
        return bucket
