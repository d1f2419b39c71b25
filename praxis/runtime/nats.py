"""Run NATS with JetStream from the `nats-server` that the development environment installs."""

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from praxis.runtime.probes import tcp_ready, wait_until
from praxis.runtime.state import RuntimeProblem, State, write_private
from praxis.runtime.supervisor import Program

OLDEST = (2, 12, 6)

CONFIGURATION = """\
server_name: praxis
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor_port}"
logtime_utc: true
max_payload: 256KB
jetstream {{
  store_dir: {store}
  sync_interval: always
  max_file_store: 2GB
  max_memory_store: 64MB
}}
{authorization}
"""


class EmbeddedNats:
    """One NATS server of a state folder, on free ports of 127.0.0.1: `nats` for clients, `nats-monitor` for HTTP.

    `authorization` is a part of a server configuration (users, nkeys, permissions) and stands in it word for word.
    PRAXIS_NATS_BIN names another `nats-server`, by file.
    """

    def __init__(self, state: State, authorization: str = "", *, environ: Mapping[str, str] = os.environ) -> None:
        self._state = state
        self._authorization = authorization
        self._binary = Path(environ.get("PRAXIS_NATS_BIN") or Path(sysconfig.get_path("scripts"), "nats-server"))
        self._configuration = state.run / "nats.conf"

    @property
    def port(self) -> int:
        """Return the port for clients, as claimed by the last `initialise`."""
        return self._state.ports["nats"]

    @property
    def monitor_port(self) -> int:
        """Return the port of the monitoring pages (`/healthz`, `/jsz`), which want no login: for this machine only."""
        return self._state.ports["nats-monitor"]

    @property
    def url(self) -> str:
        """Return the address for clients, without credentials."""
        return f"nats://127.0.0.1:{self.port}"

    def initialise(self) -> None:
        """Claim the ports and write the configuration. Raises RuntimeProblem for a missing or too old server."""
        require_version(self._version())
        content = CONFIGURATION.format(
            port=self._state.claim_port("nats"),
            monitor_port=self._state.claim_port("nats-monitor"),
            store=json.dumps(str(self._state.data / "nats")),
            authorization=self._authorization,
        )
        write_private(self._configuration, content)

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return arguments and the whole environment to run the server in the foreground."""
        return [str(self._binary), "--config", str(self._configuration)], {}

    def program(self) -> Program:
        """Return the server for the supervisor."""
        argv, env = self.command()
        return Program("nats", argv, env, ready=tcp_ready(self.port, b"INFO "))

    def wait_ready(self, deadline: float = 30.0) -> None:
        """Block until the server greets. Raises RuntimeProblem after `deadline` seconds."""
        if not wait_until(tcp_ready(self.port, b"INFO "), deadline):
            raise RuntimeProblem(f"NATS did not answer on port {self.port} within {deadline:g} s.")

    def _version(self) -> str:
        try:
            return subprocess.run([self._binary, "--version"], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise RuntimeProblem(
                f"nats-server cannot be run ({error}): install the development dependencies, set PRAXIS_NATS_BIN to a "
                "nats-server, or set PRAXIS_NATS_URL to a running one."
            ) from None


def require_version(shown: str) -> None:
    """Refuse what `nats-server --version` shows below 2.12.6: no `sync_interval: always`, or known holes."""
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", shown)
    if found is None or tuple(map(int, found.groups())) < OLDEST:
        raise RuntimeProblem(
            f"nats-server is {shown.strip() or 'of no known version'}; Praxis needs {'.'.join(map(str, OLDEST))} "
            "or newer: install the development dependencies or set PRAXIS_NATS_BIN to a newer one."
        )
