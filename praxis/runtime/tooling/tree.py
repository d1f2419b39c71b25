"""What is in this tree: the publishers that can be built, their applications and who consumes what."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import FastAPI

from praxis.contracts.event import EVENTS, Event
from praxis.kit import practices
from praxis.kit.app import Service
from praxis.kit.settings import PUBLISHERS, Settings
from praxis.runtime.secrets import create_secrets

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Application:
    """One publisher as it would be served."""

    publisher: str
    service: Service
    app: FastAPI


def package_of(publisher: str) -> str:
    """Return the package of a publisher: `gateway` or `services.<name>`."""
    return publisher if publisher == "gateway" else f"services.{publisher}"


def publishers() -> tuple[str, ...]:
    """Return the publishers whose `app.py` is in the tree, the gateway first."""
    return tuple(name for name in PUBLISHERS if find_spec(package_of(name)) and find_spec(f"{package_of(name)}.app"))


def service_of(publisher: str) -> Service:
    """Return what `app.py` of a publisher wires together."""
    service: Service = import_module(f"{package_of(publisher)}.app").service
    return service


@contextlib.contextmanager
def applications() -> Iterator[list[Application]]:
    """Build every application on secrets made for the block; nothing connects to a server."""
    with TemporaryDirectory(prefix="praxis-tooling-") as folder:
        secrets = create_secrets(Path(folder), development=True)
        yield [_build(publisher, secrets) for publisher in publishers()]


def settings_of(publisher: str, secrets: Path, server: str = "postgresql://127.0.0.1:1") -> Settings:
    """Return development settings of a publisher on a database server, its database named as the publisher."""
    return Settings(publisher, "development", "api", secrets, "nats://127.0.0.1:1", f"{server}/{publisher}")


def _build(publisher: str, secrets: Path) -> Application:
    service = service_of(publisher)
    return Application(publisher, service, service.build(settings_of(publisher, secrets)))


def events() -> Mapping[str, type[Event]]:
    """Return every event version by its subject, sorted."""
    for publisher in PUBLISHERS:
        import_module(f"praxis.contracts.{publisher}")
    return dict(sorted(EVENTS.items()))


def consumers() -> dict[str, list[str]]:
    """Return subject -> `<service>.<effect>` of every consumer in the tree, sorted."""
    found: dict[str, list[str]] = {subject: [] for subject in events()}
    for publisher in publishers():
        for group in (practices.consumers, *service_of(publisher).consumers):
            for event, handler in group.handlers:
                found[event.TYPE].append(f"{publisher}.{handler.__name__}")
    return {subject: sorted(names) for subject, names in found.items()}
