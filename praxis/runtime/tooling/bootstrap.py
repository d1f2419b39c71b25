"""Make the virtual environment: `python3 praxis/runtime/tooling/bootstrap.py`, standard library only.

With arguments it runs uv with them instead, as `make lock` does.

Runs on the machine's own Python, so it has to parse on old ones in order to say which one is needed. Everything
installed is pinned; all but uv itself is checked by hash. Where pip is told to find packages (environment or pip.conf),
uv is told too.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

UV = "uv==0.13.9"
ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
LOCK = "requirements-dev.lock"

# pip's setting -> uv's variable and what stands between several values there.
SETTINGS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", " "),
    "cert": ("SSL_CERT_FILE", " "),
}


def main(arguments: list[str]) -> int:
    """Set up, or run uv with `arguments`; return the exit code."""
    if not arguments:
        return set_up()
    settings = pip_settings(str(VENV / "bin" / "python"))
    # A lock names the files of every platform: an index that has only some of them would hide the others.
    whole = {name: value for name, value in settings.items() if name not in ("extra-index-url", "find-links")}
    return _run([str(VENV / "bin" / "uv"), *arguments], uv_environment(whole, dict(os.environ)))


def set_up() -> int:
    """Create `.venv`, install the lock file and the tree itself; return the exit code."""
    if sys.version_info < (3, 11):
        found = ".".join(str(part) for part in sys.version_info[:3])
        return _refuse(
            f"Praxis needs Python 3.11 or newer and this is {found}. Name another one: make setup PYTHON=python3.12"
        )
    if _run([sys.executable, "-m", "venv", str(VENV)]) != 0:
        return _refuse(
            "python3 cannot make a virtual environment here. On Debian and Ubuntu: apt-get install python3-venv"
        )
    python, uv = str(VENV / "bin" / "python"), str(VENV / "bin" / "uv")
    steps = [
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV],
        [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "--compile-bytecode", "-r", LOCK],
        [uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "-e", "."],
    ]
    environment = uv_environment(pip_settings(python), dict(os.environ))
    for step in steps:
        if _run(step, environment) != 0:
            return _refuse("this step failed: " + " ".join(step))
    return 0


def pip_settings(python: str) -> dict[str, str]:
    """Return pip's own settings by name; the environment wins over files, as in pip."""
    shown = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    return parse_settings(shown)


def parse_settings(shown: str) -> dict[str, str]:
    """Read what `pip config list` prints, lines like `global.cert='/etc/ca.pem'` and `:env:.index-url='https://...'`."""
    found: dict[str, str] = {}
    for line in sorted(shown.splitlines(), key=lambda line: line.startswith(":env:")):
        name, separator, value = line.partition("=")
        if separator:
            found[name.rpartition(".")[2]] = ast.literal_eval(value)
    return found


def uv_environment(settings: dict[str, str], environment: dict[str, str]) -> dict[str, str]:
    """Return the environment for uv: its own variables as they are, the rest from pip's settings."""
    told = {}
    for name, (variable, separator) in SETTINGS.items():
        if settings.get(name):
            told[variable] = separator.join(settings[name].split())
    if "UV_INDEX" in told:
        # Hashes prove what is installed, so it may come from whichever index has it.
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {**told, **environment}


def _run(command: list[str], environment: dict[str, str] | None = None) -> int:
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def _refuse(reason: str) -> int:
    sys.stderr.write(reason + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
