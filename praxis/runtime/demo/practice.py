"""The demo practice and its logins: opened once, with passwords made at random and kept beside the state of the installation."""

import secrets

from gateway.app import service as gateway
from gateway.identity.commands import add_api_client, add_user
from gateway.identity.schemas import AddApiClient, AddUser
from gateway.practices.commands import open_practice
from gateway.practices.schemas import OpenPractice
from praxis.kit.app import Parts
from praxis.kit.auth import system_principal
from praxis.kit.clock import SystemClock
from praxis.kit.ids import new_id
from praxis.kit.settings import Settings
from praxis.kit.unit_of_work import Cause, Session
from praxis.runtime.demo.keys import DemoKeys, has_keys, write_keys
from praxis.runtime.state import State

CODE = "demo"
LOGINS = {
    "manager": "medical_office_manager",
    "lead": "lead_medical_assistant",
    "assistant": "medical_assistant",
    "doctor": "provider",
    "desk": "receptionist",
    "biller": "biller",
}
CLIENTS = {"demo-ehr": "ehr_client", "demo-partner": "partner_client"}


async def open_demo_practice(settings: Settings, state: State) -> None:
    """Open the practice `demo` with one login per role and two API clients; what is there stays."""
    if settings.profile != "development" or has_keys(state):
        return
    parts = gateway.parts(settings, SystemClock())
    try:
        keys = await _open(parts)
    finally:
        await parts.close()
    write_keys(state, keys)


async def _open(parts: Parts) -> DemoKeys:
    practice_id = new_id()
    logins = {role: {"login": login, "password": f"demo-{secrets.token_urlsafe(15)}"} for login, role in LOGINS.items()}
    clients: dict[str, str] = {}

    async def work(session: Session) -> None:
        await open_practice(session, OpenPractice(code=CODE, time_zone="America/New_York"))
        for role, known in logins.items():
            await add_user(session, AddUser(login=known["login"], password=known["password"], roles=[role]))
        for name, role in CLIENTS.items():
            _, issued = await add_api_client(session, AddApiClient(name=name, roles=[role]))
            clients[name] = issued.key

    await parts.unit_of_work.run(Cause(system_principal(practice_id, "demo"), "runtime.demo.open"), work)
    return DemoKeys(str(practice_id), CODE, logins, clients)
