"""Jobs: once per practice and interval, on one process at a time, again when a lease was left behind."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from praxis.kit.jobs import Job, JobRunner, Jobs
from praxis.kit.settings import LIMITS
from praxis.kit.testing import Harness, PracticeUnderTest
from praxis.kit.unit_of_work import Session


class Counted:
    """Runs of a duty by practice; fails for a practice when told to."""

    def __init__(self) -> None:
        self.runs: list = []
        self.fail = False

    async def __call__(self, practice_id, now) -> None:
        self.runs.append(practice_id)
        if self.fail:
            raise ValueError("planted")


def runner(staff: Harness, counted: Counted, name: str) -> JobRunner:
    return JobRunner(staff.parts.database, staff.clock, [Job(name, timedelta(minutes=5), counted)])


async def lease(staff: Harness, practice: PracticeUnderTest, name: str) -> asyncpg.Record:
    [row] = await practice.sql("select * from job_leases where job = $1", name)
    return row


async def test_a_job_runs_once_per_interval_and_practice_whoever_asks(staff: Harness):
    practice, counted = await staff.practice(), Counted()
    await asyncio.gather(*(runner(staff, counted, "once").run_due() for _ in range(5)))
    assert counted.runs.count(practice.practice_id) == 1
    staff.clock.advance(minutes=4, seconds=59)
    await runner(staff, counted, "once").run_due()
    assert counted.runs.count(practice.practice_id) == 1
    staff.clock.advance(seconds=1)
    await runner(staff, counted, "once").run_due()
    assert counted.runs.count(practice.practice_id) == 2


async def test_a_failed_run_keeps_its_error_and_comes_again(staff: Harness):
    practice, counted = await staff.practice(), Counted()
    counted.fail = True
    await runner(staff, counted, "fails").run_due()
    row = await lease(staff, practice, "fails")
    assert (row["last_error"], row["leased_until"]) == ("ValueError", None)
    counted.fail = False
    staff.clock.advance(minutes=5)
    await runner(staff, counted, "fails").run_due()
    assert (await lease(staff, practice, "fails"))["last_error"] is None


async def test_a_lease_that_a_dead_process_left_is_taken_over_when_it_ends(staff: Harness):
    practice, counted = await staff.practice(), Counted()
    dead = runner(staff, counted, "orphaned")
    await dead._lease(dead.jobs[0])
    other = runner(staff, counted, "orphaned")
    await other.run_due()
    assert practice.practice_id not in counted.runs
    staff.clock.advance(seconds=LIMITS.job_lease_seconds + 1)
    await other.run_due()
    assert counted.runs.count(practice.practice_id) == 1


async def test_a_jobs_session_is_walled_by_its_practice_and_commits(staff: Harness):
    practice, jobs = await staff.practice(), Jobs()
    seen: set = set()

    @jobs.every(hours=1)
    async def note_practice(session: Session) -> None:
        seen.add(session.practice_id)
        session.touch("job", session.practice_id)

    await JobRunner(staff.parts.database, staff.clock, jobs.bound(staff.parts.unit_of_work)).run_due()
    assert practice.practice_id in seen
    [row] = await practice.sql("select actor_kind, action from audit where entity = 'job'")
    assert (row["actor_kind"], row["action"]) == ("system", "jobs.note_practice")


async def test_audit_rows_are_sealed_by_the_job_that_every_publisher_has(staff: Harness):
    practice = await staff.practice()
    await practice.post(
        "/v1/staff-members",
        {"role": "biller", "family_name": "Example", "given_name": "Maya", "hired_on": "2026-01-05"},
    )
    await practice.run_job("seal_audit")
    [seal] = await practice.sql("select number, rows from audit_seals")
    assert (seal["number"], seal["rows"]) == (1, 1)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await practice.sql("delete from audit_seals")
