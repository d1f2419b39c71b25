"""A process that announces events at a fixed rate through scheduling's own unit of work, without the cost of HTTP around them.

Arguments: state folder, practice id, events a second, seconds. Prints one JSON line.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from uuid import UUID

import uvloop

from praxis.contracts.scheduling import PatientRegisteredV1
from praxis.kit.auth import system_principal
from praxis.kit.ids import new_id
from praxis.kit.unit_of_work import Cause, Session
from praxis.runtime.operator import parts_of
from praxis.runtime.state import State


async def announce(home: Path, practice_id: UUID, rate: int, seconds: int) -> None:
    """Announce `rate` * `seconds` registrations at their planned times and print how it went."""
    async with parts_of(State(home), "scheduling") as parts:
        bell = asyncio.create_task(parts.bell.run())
        begin = time.perf_counter()

        async def one(number: int) -> None:
            async def work(session: Session) -> None:
                patient_id = new_id()
                session.touch("bench", patient_id)
                session.publish(PatientRegisteredV1(patient_id=patient_id, revision=1, status="active"))

            await asyncio.sleep(begin + number / rate - time.perf_counter())
            await parts.unit_of_work.run(Cause(system_principal(practice_id, "bench"), "bench.announce"), work)

        await asyncio.gather(*(one(number) for number in range(rate * seconds)))
        used = resource.getrusage(resource.RUSAGE_SELF)
        took = time.perf_counter() - begin
        bell.cancel()
    print(json.dumps({"rate": rate * seconds / took, "cores": (used.ru_utime + used.ru_stime) / took}))


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(announce(Path(sys.argv[1]), UUID(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
