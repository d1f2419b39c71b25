"""What a developer signs in with, kept beside the state of the installation."""

import json
from dataclasses import asdict, dataclass

from praxis.runtime.state import State, write_private

FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class DemoKeys:
    """The demo practice, role -> login and password, client name -> API key."""

    practice_id: str
    practice: str
    logins: dict[str, dict[str, str]]
    clients: dict[str, str]


def has_keys(state: State) -> bool:
    """Tell whether this installation has a demo practice."""
    return (state.secrets / FILE).exists()


def read_keys(state: State) -> DemoKeys:
    """Return the demo keys; FileNotFoundError where there is no demo practice."""
    return DemoKeys(**json.loads((state.secrets / FILE).read_text("utf-8")))


def write_keys(state: State, keys: DemoKeys) -> None:
    """Keep the demo keys, readable by this user alone."""
    write_private(state.secrets / FILE, json.dumps(asdict(keys), indent=2) + "\n")
