"""Recurring duties: each runs per practice under a lease, on whichever process gets it, again after a crash when the lease ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from praxis.kit.auth import system_principal
from praxis.kit.clock import Clock
from praxis.kit.db import Database
from praxis.kit.ids import new_id
from praxis.kit.observe import log
from praxis.kit.settings import LIMITS
from praxis.kit.unit_of_work import Cause, Session, UnitOfWork

Duty = Callable[[UUID, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """A duty of every practice, due again `every` after its last run."""

    name: str
    every: timedelta
    duty: Duty


class Jobs:
    """The jobs of one slice. `@jobs.every(minutes=5)` registers an async function of a session; its name is the duty."""

    def __init__(self) -> None:
        self.registered: list[tuple[timedelta, Callable[[Session], Awaitable[None]]]] = []

    def every(
        self, **interval: float
    ) -> Callable[[Callable[[Session], Awaitable[None]]], Callable[[Session], Awaitable[None]]]:
        """Register the decorated function; `interval` is as for timedelta."""

        def register(work: Callable[[Session], Awaitable[None]]) -> Callable[[Session], Awaitable[None]]:
            self.registered.append((timedelta(**interval), work))
            return work

        return register

    def bound(self, unit_of_work: UnitOfWork) -> list[Job]:
        """Return the jobs with each function run inside a unit of work of its practice."""
        return [
            Job(work.__name__, interval, _in_unit_of_work(unit_of_work, work)) for interval, work in self.registered
        ]


def _in_unit_of_work(unit_of_work: UnitOfWork, work: Callable[[Session], Awaitable[None]]) -> Duty:
    async def duty(practice_id: UUID, now: datetime) -> None:
        cause = Cause(system_principal(practice_id, work.__name__), f"jobs.{work.__name__}", audited=False)
        await unit_of_work.run(cause, work)

    return duty


_LEASE_DUE = text(
    "insert into job_leases (practice_id, job, due_at, leased_until, holder) "
    "select practice_id, :job, :now, :until, :holder from practices "
    "on conflict (practice_id, job) do update set leased_until = excluded.leased_until, holder = excluded.holder "
    "where job_leases.due_at <= :now and (job_leases.leased_until is null or job_leases.leased_until < :now) "
    "returning practice_id"
)

_FINISH = text(
    "update job_leases set due_at = :due, leased_until = null, last_run_at = :now, last_error = :error "
    "where practice_id = :practice and job = :job and holder = :holder"
)


class JobRunner:
    """Looks for due jobs every second and runs them one after the other."""

    def __init__(self, database: Database, clock: Clock, jobs: Iterable[Job]) -> None:
        self._database = database
        self._clock = clock
        self.jobs = list(jobs)
        self._holder = new_id()

    async def run(self) -> None:
        """Run due jobs for ever."""
        while True:
            try:
                await self.run_due()
            except Exception as error:
                log.warning("jobs-postponed", error=type(error).__name__)
            await asyncio.sleep(1)

    async def run_due(self) -> int:
        """Lease and run every job that is due now; return how many runs there were."""
        runs = 0
        for job in self.jobs:
            for row in await self._lease(job):
                await self._run(job, row.practice_id)
                runs += 1
        return runs

    async def _lease(self, job: Job) -> list[Row[Any]]:
        now = self._clock.now()
        values = {
            "job": job.name,
            "now": now,
            "until": now + timedelta(seconds=LIMITS.job_lease_seconds),
            "holder": self._holder,
        }
        async with self._database.system.connect() as connection:
            return list((await connection.execute(_LEASE_DUE, values)).all())

    async def _run(self, job: Job, practice_id: UUID) -> None:
        now = self._clock.now()
        error: str | None = None
        try:
            await job.duty(practice_id, now)
        except Exception as failure:
            error = type(failure).__name__
            log.error("job-failed", job=job.name, practice_id=str(practice_id), error=error)
        values = {
            "due": now + job.every,
            "now": now,
            "error": error,
            "practice": practice_id,
            "job": job.name,
            "holder": self._holder,
        }
        async with self._database.system.connect() as connection:
            await connection.execute(_FINISH, values)
