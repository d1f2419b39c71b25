"""With the addresses of servers given, nothing embedded starts."""

from pathlib import Path

import httpx

from praxis.kit.settings import PUBLISHERS
from tests.support.servers import Servers
from tests.support.stack import running_stack


def test_given_a_database_and_a_broker_the_installation_uses_those(tmp_path: Path, servers: Servers):
    addresses = {
        f"PRAXIS_{name.upper()}_DATABASE_URL": f"postgresql://127.0.0.1:{servers.postgres.port}/outside_{name}"
        for name in PUBLISHERS
    }
    given = {
        "PRAXIS_NATS_URL": servers.nats_url,
        "PRAXIS_ADMIN_DATABASE_URL": servers.admin_dsn,
        "PRAXIS_SECRETS_DIR": str(servers.secrets),
    }
    with running_stack(tmp_path / "home", **addresses, **given) as stack:
        assert set(stack.state.running()) == {"supervisor", *PUBLISHERS}
        assert not (stack.state.data / "nats").exists()
        assert httpx.get(f"{stack.url}/readyz", trust_env=False).json()["status"] == "ready"
        assert stack.token("medical_office_manager")
