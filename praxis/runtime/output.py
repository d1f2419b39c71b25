"""Take over what child processes write."""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable
from logging import makeLogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

TAIL = 20  # lines
LONGEST_LINE = 65_536  # bytes
LOG_BYTES = 8 * 1024 * 1024


class Output:
    """What a program says, line by line, to its log file, its shower and a tail of 20.

    The pipe is ours and outlives restarts. One of asyncio's would end with the last process that holds it, and a dead
    postmaster's backends hold it for a while: waiting for that would hold up the restart.
    """

    def __init__(self, log: Path, show: Callable[[str], None]) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._rest = b""
        self._show = show
        self._log = RotatingFileHandler(log, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    def drain(self) -> None:
        """Take over everything written so far."""
        while self._read():
            continue

    def emit(self, line: str) -> None:
        """Log, show and keep one line."""
        self.tail.append(line)
        self._log.handle(makeLogRecord({"msg": line}))
        self._show(line)

    def close(self) -> None:
        """Take over the rest and let go of pipe and file."""
        self.drain()
        self._emit_all([self._rest] if self._rest else [])
        asyncio.get_running_loop().remove_reader(self._read_end)
        os.close(self._read_end)
        os.close(self.write_end)
        self._log.close()

    def _read(self) -> bool:
        try:
            chunk = os.read(self._read_end, 65_536)
        except BlockingIOError:
            return False
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        self._emit_all(lines)
        return True

    def _emit_all(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self.emit(line.decode(errors="replace").rstrip("\r"))
