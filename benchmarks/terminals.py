"""Real programs in pseudo-terminals, as a person's terminal would run them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress


def _take_terminal() -> None:
    """Make the pty the controlling terminal, so that closing it is a hang-up."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """One program in a pty of 80x24 whose output is read and searched."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        size: tuple[int, int] = (80, 24),
    ) -> None:
        self.output = 0
        self._seen = b""
        self._news = asyncio.Event()
        self._master, slave = os.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        # What is installed has its bytecode beside it, as the packages it is measured against do.
        kept = {k: v for k, v in environment.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**kept, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    @property
    def pid(self) -> int:
        """The program's process."""
        return self.process.pid

    def _read(self) -> None:
        with suppress(BlockingIOError):
            try:
                data = os.read(self._master, 65536)
            except OSError:
                data = b""
            if not data:
                asyncio.get_running_loop().remove_reader(self._master)
            self.output += len(data)
            self._seen = (self._seen + data)[-200_000:]
            self._news.set()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    async def shows(self, text: str, within: float = 60) -> float:
        """Wait until the program has written a text; seconds since its start."""
        async with asyncio.timeout(within):
            while text.encode() not in self._seen:
                self._news.clear()
                await self._news.wait()
        return time.perf_counter() - self.started

    def forget(self) -> None:
        """Search only what is written from now on."""
        self._seen = b""

    async def end(self) -> None:
        """Close the terminal as a window is closed."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGHUP)
        with suppress(ValueError, OSError):
            asyncio.get_running_loop().remove_reader(self._master)
        try:
            await asyncio.to_thread(self.process.wait, 10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
