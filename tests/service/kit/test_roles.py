"""PRAXIS_ROLE splits a publisher: `api` answers requests, relay, consumers and jobs run where the role is not `api`."""

from dataclasses import replace

import pytest

from praxis.kit.clock import SystemClock
from praxis.kit.testing import Harness
from services.staff.app import service


@pytest.mark.parametrize(("role", "works"), [("api", False), ("worker", True), ("all", True)])
async def test_only_a_worker_relays_consumes_and_runs_jobs(staff: Harness, role: str, works: bool):
    app = service.build(replace(staff.settings, role=role), SystemClock())
    async with app.router.lifespan_context(app):
        duties = set(app.state.parts.duties.values())
    assert {"Bus.connect", "RelayBell.run"} <= duties
    assert ({"Relay.run", "Inbox.run", "JobRunner.run"} <= duties) is works
