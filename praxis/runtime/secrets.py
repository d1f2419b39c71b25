"""Making the secrets of an installation: one folder per publisher, one with everybody's public keys.

<folder>/<publisher>/master.key event.key nats.seed db-app.password db-system.password db-migrate.password
<folder>/gateway/token.key
<folder>/public/event-<publisher>.pub token-<key id>.pub nats-<publisher>.pub
<folder>/development-only          only where `praxis up` made them; production refuses such a folder
"""

from pathlib import Path

import nkeys

from praxis.kit.auth import load_private_key, public_text
from praxis.kit.secrets import generate_secret
from praxis.kit.settings import DEVELOPMENT_MARK, PUBLISHERS
from praxis.runtime.state import write_private

PASSWORDS = ("db-app.password", "db-system.password", "db-migrate.password")
TOKEN_KEY_ID = "1"


def create_secrets(folder: Path, *, development: bool) -> Path:
    """Create what is missing in `folder` and return it; what is there stays as it is."""
    public = folder / "public"
    public.mkdir(mode=0o755, parents=True, exist_ok=True)
    if development:
        (folder / DEVELOPMENT_MARK).touch()
    for publisher in PUBLISHERS:
        own = folder / publisher
        for name in ("master.key", "event.key", *PASSWORDS):
            generate_secret(own, name)
        _publish(own / "event.key", public / f"event-{publisher}.pub")
        _create_nkey(own / "nats.seed", public / f"nats-{publisher}.pub")
    generate_secret(folder / "gateway", "token.key")
    _publish(folder / "gateway" / "token.key", public / f"token-{TOKEN_KEY_ID}.pub")
    return folder


def public_nkeys(folder: Path) -> dict[str, str]:
    """Return publisher -> public nkey, as the NATS server's authorization needs them."""
    return {name: (folder / "public" / f"nats-{name}.pub").read_text("ascii").strip() for name in PUBLISHERS}


def _publish(private: Path, public: Path) -> None:
    key = load_private_key(private.read_text("ascii"))
    public.write_text(public_text(key.public_key()) + "\n", "ascii")


def _create_nkey(seed_file: Path, public_file: Path) -> None:
    if not seed_file.exists():
        source = generate_secret(seed_file.parent, ".nkey-source")
        seed = nkeys.encode_seed(
            load_private_key(source.read_text("ascii")).private_bytes_raw(), nkeys.PREFIX_BYTE_USER
        )
        write_private(seed_file, seed.decode("ascii") + "\n")
        source.unlink()
    pair = nkeys.from_seed(seed_file.read_bytes().strip())
    public_file.write_text(pair.public_key.decode("ascii") + "\n", "ascii")
