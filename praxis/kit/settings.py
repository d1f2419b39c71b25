"""What a process is told from outside: environment variables for addresses, files for secrets, one table of limits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic_settings import BaseSettings, SettingsConfigDict

Profile = Literal["development", "production"]
Role = Literal["all", "api", "worker"]
RoleKind = Literal["app", "system", "migrate"]

SERVICES = ("scheduling", "inventory", "staff", "billing")
PUBLISHERS = ("gateway", *SERVICES)


@dataclass(frozen=True, slots=True)
class Limits:
    """Pool sizes, batches and deadlines of every publisher. Times in milliseconds unless the name says otherwise."""

    statement_timeout: int = 5_000
    lock_timeout: int = 2_000
    idle_in_transaction: int = 10_000
    connect_timeout: int = 5_000
    pool_wait: int = 2_000
    app_pool: int = 20
    system_pool: int = 3
    attempts: int = 3
    key_days: int = 7
    body_bytes: int = 1_048_576
    relay_batch: int = 256
    relay_in_flight: int = 64
    relay_poll: int = 1_000
    bus_seconds: int = 5
    consumer_at_once: int = 8
    consumer_wait: int = 5_000
    consumer_renewal: int = 10_000
    consumer_tries: int = 5
    consumer_ack_seconds: int = 30
    consumer_unacknowledged: int = 256
    job_lease_seconds: int = 60
    token_seconds: int = 60
    drain_seconds: int = 8


LIMITS = Limits()


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PRAXIS_", extra="ignore")

    profile: Profile = "production"
    role: Role = "all"
    secrets_dir: Path = Path("/run/secrets/praxis")
    nats_url: str = "nats://127.0.0.1:4222"


class _Address(BaseSettings):
    database_url: str


class InsecureSettings(RuntimeError):
    """A production process was given development secrets or none; it does not start."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one publisher (a service or the gateway)."""

    service: str
    profile: Profile
    role: Role
    secrets_dir: Path
    nats_url: str
    database_url: str

    @classmethod
    def load(cls, service: str) -> Self:
        """Read PRAXIS_PROFILE, PRAXIS_ROLE, PRAXIS_SECRETS_DIR, PRAXIS_NATS_URL and PRAXIS_<SERVICE>_DATABASE_URL.

        The database URL names host, port and database only: users and passwords come from `kit.db.role_name` and secret files.
        """
        environment = _Environment()
        prefix = f"PRAXIS_{service.upper()}_"
        address = _Address(_env_prefix=prefix)
        return cls(
            service=service,
            profile=environment.profile,
            role=environment.role,
            secrets_dir=environment.secrets_dir,
            nats_url=environment.nats_url,
            database_url=address.database_url,
        )

    @property
    def own_secrets(self) -> Path:
        """Folder with this publisher's private secrets."""
        return self.secrets_dir / self.service

    @property
    def public_keys(self) -> Path:
        """Folder with every publisher's public keys."""
        return self.secrets_dir / "public"

    def secret(self, name: str) -> str:
        """Return the text of one of this publisher's secret files, without surrounding white space."""
        return (self.own_secrets / name).read_text(encoding="ascii").strip()

    def role_dsn(self, kind: RoleKind) -> str:
        """Return the connection URL of one of the three database roles of this publisher."""
        parts = urlsplit(self.database_url)
        password = quote(self.secret(f"db-{kind}.password"), safe="")
        netloc = f"{role_name(self.service, kind)}:{password}@{parts.hostname}:{parts.port or 5432}"
        return urlunsplit(("postgresql", netloc, parts.path, parts.query, ""))


def role_name(service: str, kind: RoleKind) -> str:
    """Return the PostgreSQL role of a publisher: `praxis_scheduling_app`."""
    return f"praxis_{service}_{kind}"


DEVELOPMENT_MARK = "development-only"


def require_safe_secrets(settings: Settings) -> None:
    """Refuse development secrets, weak passwords and readable key files in production."""
    if settings.profile != "production":
        return
    if (settings.secrets_dir / DEVELOPMENT_MARK).exists():
        raise InsecureSettings(
            f"{settings.secrets_dir} holds development secrets: make production ones with `praxis secrets`"
        )
    for file in sorted(settings.own_secrets.iterdir()):
        if len(file.read_bytes().strip()) < 32:
            raise InsecureSettings(f"the secret {file.name} of {settings.service} is shorter than 32 characters")
        if file.stat().st_mode & 0o077:
            raise InsecureSettings(f"the secret {file.name} of {settings.service} is readable by others: chmod 600 it")
