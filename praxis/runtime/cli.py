"""The `praxis` command."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from praxis.kit.settings import PUBLISHERS
from praxis.runtime.demo.keys import has_keys, read_keys
from praxis.runtime.probes import http_ready
from praxis.runtime.state import RuntimeProblem, State
from praxis.runtime.supervisor import Stage

app = typer.Typer(help="Run and look after a Praxis installation.", no_args_is_help=True, add_completion=False)
events = typer.Typer(help="Events as they are recorded.", no_args_is_help=True)
park = typer.Typer(help="Events that a consumer refused five times.", no_args_is_help=True)
app.add_typer(events, name="events")
app.add_typer(park, name="park")

console = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Publisher = Annotated[str, typer.Argument(help=f"One of: {', '.join(PUBLISHERS)}.")]


def main() -> None:
    """Run the command; a problem of the runtime is one line, not a traceback."""
    try:
        app()
    except RuntimeProblem as problem:
        console.print(f"[red]{problem}[/red]", highlight=False)
        sys.exit(1)
    except FileNotFoundError as error:
        console.print(
            f"[red]Nothing is set up here ({Path(str(error.filename)).name} is missing): run `praxis up` first.[/red]"
        )
        sys.exit(1)


@app.command()
def up(detach: Annotated[bool, typer.Option(help="Return once everything is ready.")] = False) -> None:
    """Start everything, print `ready <gateway url>`, and on the first start walk one visit through the loop."""
    state = State.open()
    if detach:
        _up_detached(state)
        return
    from praxis.runtime.stack import run_stack

    with state.lock():
        state.end_leftovers()
        first_start = not has_keys(state)
        report = lambda stack: _report_ready(stack.gateway_url, first_start)  # noqa: E731
        asyncio.run(run_stack(state, console=sys.stderr, progress=_show_progress, ready=report))


def _show_progress(name: str, stage: Stage, detail: str) -> None:
    if stage in (Stage.STARTING, Stage.READY) or detail != "exited with 0":
        console.print(f"[dim]{name:<10} {detail or stage}[/dim]", highlight=False)


def _report_ready(url: str, first_start: bool) -> None:
    print(f"ready {url}", flush=True)
    console.print(f"docs   {url}/docs\nlogins praxis demo-keys --json", highlight=False)
    if first_start and os.environ.get("PRAXIS_FIRST_VISIT", "1") != "0":
        _walk_first_visit(url)


def _walk_first_visit(url: str) -> None:
    """Walk the first visit; what goes wrong with it is told and does not end the installation."""
    from praxis.runtime.demo.visit import walk_and_print

    try:
        walk_and_print(State.open(), url, console)
    except RuntimeProblem as problem:
        console.print(f"[red]The first visit did not come through: {problem}[/red]", highlight=False)


def _up_detached(state: State) -> None:
    log = (state.logs / "up.log").open("wb")
    command = [sys.executable, "-m", "praxis.runtime.cli", "up"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, start_new_session=True)
    assert child.stdout is not None
    line = child.stdout.readline().decode()
    if not line.startswith("ready "):
        tail = "\n".join((state.logs / "up.log").read_text(errors="replace").splitlines()[-20:])
        raise RuntimeProblem(f"Praxis did not become ready:\n{tail}")
    print(line, end="")


@app.command()
def down() -> None:
    """Stop the installation of this folder."""
    state = State.open()
    supervisor = state.running().get("supervisor")
    if supervisor is None:
        state.end_leftovers()
        console.print("not running")
        return
    os.kill(supervisor, signal.SIGTERM)
    for _ in range(300):
        if "supervisor" not in state.running():
            console.print("stopped")
            return
        time.sleep(0.1)
    raise RuntimeProblem(f"process {supervisor} has not ended within 30 s")


@app.command()
def status(as_json: Json = False) -> None:
    """List the processes of this folder and whether they are ready."""
    state = State.open()
    running = state.running()
    rows = {
        name: {"pid": pid, "ready": http_ready(state.ports[name], "/readyz")() if name in PUBLISHERS else True}
        for name, pid in running.items()
    }
    if as_json:
        print(json.dumps(rows))
        return
    table = Table("process", "pid", "ready")
    for name, row in rows.items():
        table.add_row(name, str(row["pid"]), "yes" if row["ready"] else "no")
    Console().print(table if rows else "not running")


@app.command("demo-keys")
def demo_keys(as_json: Json = False) -> None:
    """Print the gateway's address, the demo practice, its logins by role and its API clients (development only)."""
    state = State.open()
    shown = {"gateway_url": f"http://127.0.0.1:{state.ports['gateway']}", **asdict(read_keys(state))}
    if as_json:
        print(json.dumps(shown, indent=2))
        return
    table = Table("role", "login", "password")
    for role, login in shown["logins"].items():
        table.add_row(role, login["login"], login["password"])
    Console().print(f"{shown['gateway_url']}  practice {shown['practice']}", table)


@app.command()
def seed() -> None:
    """Give the demo practice its people, rooms, supplies, prices and payer, where they are missing."""
    from praxis.runtime.demo.visit import seed_and_print

    seed_and_print(State.open(), console)


@app.command()
def demo(
    first: Annotated[Path | None, typer.Option("--from", metavar="BUNDLE...", help="FHIR R4 patient bundles.")] = None,
    more: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
) -> None:
    """Walk one visit through the loop and print its trace; with --from, walk the patients of FHIR bundles through it."""
    from praxis.runtime.demo.visit import walk_and_print

    state = State.open()
    url = f"http://127.0.0.1:{state.ports['gateway']}"
    bundles = [path for path in (first, *(more or [])) if path]
    if not bundles:
        walk_and_print(state, url, console)
        return
    from praxis.runtime.demo.bundles import import_and_print

    if not import_and_print(state, url, bundles, console):
        raise typer.Exit(1)


@app.command()
def trace(appointment_id: str, as_json: Json = False) -> None:
    """Print every step of an appointment's story: service, event, time, lag, actor."""
    from praxis.runtime.demo.visit import print_trace

    print_trace(State.open(), appointment_id, console, as_json)


@events.command("tail")
def tail_events(follow: Annotated[bool, typer.Option(help="Go on until interrupted.")] = True, last: int = 20) -> None:
    """Print events of all publishers as they are recorded: time, number, subject, aggregate, story."""
    from praxis.runtime.operator import tail

    asyncio.run(tail(State.open(), last, follow))


@park.command("list")
def list_parked(as_json: Json = False) -> None:
    """List parked events of every consumer, with the error that parked them."""
    from praxis.runtime.operator import parked

    rows = asyncio.run(parked(State.open()))
    if as_json:
        print(json.dumps(rows, default=str))
        return
    table = Table("consumer", "event", "subject", "tries", "error")
    for row in rows:
        table.add_row(row["consumer"], row["event_id"], row["subject"], str(row["tries"]), row["error"])
    Console().print(table if rows else "nothing is parked")


@park.command("replay")
def replay_parked(consumer: Publisher, event_id: str) -> None:
    """Deliver a parked event to its consumer again."""
    from praxis.runtime.operator import replay

    asyncio.run(replay(State.open(), consumer, event_id))
    console.print("delivered")


@app.command()
def republish(publisher: Publisher, first: int = 1, last: int | None = None) -> None:
    """Send a publisher's events again, by producer sequence; consumers ignore what they have had."""
    from praxis.runtime.operator import republish_range

    console.print(f"{asyncio.run(republish_range(State.open(), publisher, first, last))} events go out again")


@app.command()
def verify() -> None:
    """Check audit seals, row walls, outbox numbering, parked events and the ledger of every publisher."""
    from praxis.runtime.operator import findings

    found = asyncio.run(findings(State.open()))
    for line in found:
        console.print(f"[red]{line}[/red]", highlight=False)
    if found:
        raise typer.Exit(1)
    console.print("everything checked holds")


@app.command()
def secrets(folder: Path) -> None:
    """Create the secrets of a production installation in FOLDER."""
    from praxis.runtime.secrets import create_secrets

    create_secrets(folder, development=False)
    console.print(f"secrets are in {folder}")


if __name__ == "__main__":
    main()
