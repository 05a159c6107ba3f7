"""Kernels for students' notebooks: started in a sandbox, and spoken to by Jupyter messages."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from grading.inside import plain
from grading.layout import layout
from grading.sandbox import FILES, MEGABYTE, NAMESPACES, OTHERS, USER
from probmcl_book.course.comparison import AnswerStoppedError

PRELOAD = (
    "torch",
    "torch._dynamo",
    "pandas",
    "matplotlib.pyplot",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
)
PRELOAD_OF_OURS = ("probmcl.evaluate", "probmcl_book.replicate", "probmcl_book.claims")
"""What is loaded before kernels are forked, as far as their layout has it."""

WAITING = 5
"""Seconds that may pass for one of processor time: for a busy machine, and for a cell that only sleeps."""

MOST_MESSAGE = 16 * MEGABYTE
MOST_FILES = 10_000
PATIENCE = 3.0
"""Seconds in which a kernel that is interrupted has to answer."""

LAUNCH = """
import sys
sys.path.append(sys.argv[1])
from grading import sandbox
sys.path.pop()
sandbox.main(*sys.argv[2:])
"""
WITHOUT = {FILES: "read what its user can", OTHERS: "reach the network, and what its user runs"}
"""What a notebook can do where there are no namespaces, and a lock is missing."""

KERNEL_OPTIONS = ("--HistoryManager.enabled=False",)


class AnswerLateError(AnswerStoppedError):
    """A student's function took too long."""


class KernelStoppedError(AnswerStoppedError):
    """A student's kernel is gone; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What one notebook may use.

    Attributes:
        seconds: of processor time for all its cells; an answer that is called has a tenth of them.
        memory: megabytes, of all its processes together.
        disk: megabytes that it may write.
        processes: that it may have at once, threads included.
    """

    seconds: int = 300
    memory: int = 4096
    disk: int = 256
    processes: int = 128


class Kernels:
    """Starts kernels that see some packages, see :func:`layout`; to be closed.

    The process that kernels are forked from removes the folder of all of them when it or we end, in any way.
    """

    def __init__(self, packages: Iterable[str], without: Iterable[str], limits: Limits):
        self.limits = limits
        self.folder = Path(tempfile.mkdtemp(prefix="kernels-"))
        (self.folder / "modules").mkdir()
        self.layout = layout(packages, without, self.folder / "modules")
        self.address = str(self.folder / "socket")
        preload = PRELOAD + PRELOAD_OF_OURS
        settings = {"path": self.layout.path, "without": self.layout.without, "preload": preload}
        home = str(Path(__file__).parents[1])
        self.server = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", LAUNCH, home, self.address, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment(self.folder),
            text=True,
            start_new_session=True,  # what ends us shall not end it before it has cleared up
        )
        assert self.server.stdout is not None
        self.level, *locks = self.server.stdout.readline().split()
        holds = self.level == NAMESPACES
        self.can = [] if holds else [what for lock, what in WITHOUT.items() if lock not in locks]
        if self.can:
            warnings.warn(f"no whole sandbox here: a notebook can {'; '.join(self.can)}", stacklevel=3)
        if self.level == USER and FILES not in locks:
            self._close_to_others()
        if self.level == USER:
            self._open_the_way()

    def close(self) -> None:
        """End the process that kernels are forked from; what it forked ends with its grader."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()

    @contextmanager
    def start(self, files: Mapping[str, bytes], data_of: Callable[[str], str]) -> Iterator[Kernel]:
        """A kernel in a fresh folder with these files, by name."""
        box = Path(tempfile.mkdtemp(prefix="k-", dir=self.folder))
        places = {name: str(box / name) for name in ("root", "folder", "connection", "files")}
        for place in places.values():
            os.mkdir(place, 0o700)
        for name, content in files.items():
            (box / "files" / name).write_bytes(content)
        key = secrets.token_hex(32).encode()
        file = str(box / "connection" / "kernel.json")
        write_connection_file(file, transport="ipc", ip=str(box / "connection" / "k"), key=key)
        os.chmod(file, stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        asked = {
            **places,
            "connection_file": file,
            "options": KERNEL_OPTIONS,
            "environment": self._environment(box / "folder"),
            "level": self.level,
            "path": self.layout.path,
            "shown": self.layout.shown,
            "sites": self.layout.sites,
            "hidden": self.layout.hidden,
            "without": self.layout.without,
            "allowed": self.layout.allowed,
            **vars(self.limits),
        }
        for folder in (self.folder, box):  # its user may go through, and see no list
            os.chmod(folder, 0o711)
        with socket.socket(socket.AF_UNIX) as watcher:
            watcher.connect(self.address)
            watcher.sendall((json.dumps(asked) + "\n").encode())
            kernel = Kernel(file, places["folder"], watcher, self.limits, data_of)
            try:
                kernel.wait_until_ready()
                if self.level == NAMESPACES and os.geteuid() == 0:
                    os.chown(places["connection"], 0, 0)  # its sockets are there, and nothing else shall be
                yield kernel
            finally:
                kernel.close()
                shutil.rmtree(box, ignore_errors=True)

    def _environment(self, home: Path) -> dict[str, str]:
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
        places = {name: str(home) for name in ("HOME", "MPLCONFIGDIR", "TMPDIR")}
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            **threads,
            **places,
        }

    def _close_to_others(self) -> None:
        """In a container whose files nothing else closes: what is not allowed becomes root's alone."""
        for site, names in self.layout.sites.items():
            for path in Path(site).iterdir():
                if path.name not in names:
                    path.chmod(path.stat().st_mode & 0o700)
        for folder in filter(Path.is_dir, map(Path, self.layout.hidden)):
            folder.chmod(0o700)

    def _open_the_way(self) -> None:
        """To what is shown, for a user who is not root."""
        for shown in (sys.base_prefix, *self.layout.path):
            for parent in Path(shown).parents:
                parent.chmod(parent.stat().st_mode | 0o011)


class Kernel:
    """A running kernel: runs cells, and answers what is asked of its names."""

    def __init__(
        self,
        file: str,
        folder: str,
        watcher: socket.socket,
        limits: Limits,
        data_of: Callable[[str], str],
    ):
        self.folder, self.watcher = folder, watcher
        self.limits, self.data_of = limits, data_of
        answer = watcher.makefile().readline()
        self.process = int(answer) if answer else 0
        self.context = zmq.Context()
        self.context.setsockopt(zmq.MAXMSGSIZE, MOST_MESSAGE)
        self.client = BlockingKernelClient(connection_file=file, context=self.context)
        self.client.load_connection_file()
        self.client.start_channels(shell=True, iopub=False, stdin=True, hb=False, control=False)
        self.stopped = "" if self.process else "The kernel did not start."

    def close(self) -> None:
        """End the kernel and all its processes."""
        self._kill("")
        self.client.stop_channels()
        self.context.destroy(linger=0)

    def wait_until_ready(self) -> None:
        """Raise KernelStoppedError unless the kernel answers, and can ask for data."""
        self._send("get_ipython().ask_exit = __import__('sys').exit", {}, 60)
        for _ in range(20):  # what a kernel sends while the socket is still connecting is lost
            with suppress(TimeoutError):
                self._send("get_ipython().kernel.raw_input('')", {}, 0.4)
                return
        self._kill("its kernel cannot ask for data")
        raise KernelStoppedError(self.stopped)

    def run(self, cells: Sequence[str]) -> list[tuple[int, str]]:
        """Run cells one after another; return the numbers of those that stopped, with the reason."""
        found: list[tuple[int, str]] = []
        end = self._processor_time() + self.limits.seconds
        for number, cell in enumerate(cells, 1):
            try:
                reply = self._send(cell, {}, end - self._processor_time())
            except TimeoutError as late:
                return [*found, (number, f"{late}; the cells after it were not run")]
            if reply.get("status") == "error":
                found.append((number, f"{str(reply.get('ename'))[:80]}: {str(reply.get('evalue'))[:500]}"))
        return found

    def ask(self, name: str, kind: str, arguments: Sequence[Any] = ()) -> dict[str, Any]:
        """Ask for the value of a name, or for what comes of calling it.

        Args:
            name: that the notebook has set.
            kind: what :mod:`grading.inside.answers` does with it.
            arguments: of a call.

        Raises:
            KernelStoppedError: if there is no kernel any more.
            AnswerLateError: if the answer takes too long.
            AnswerStoppedError: if the answer is an error, or is nothing that can be read.
        """
        request = plain.dumps({"name": name, "kind": kind, "arguments": list(arguments)})
        module = "__import__('probmcl_book.course.answers', fromlist=['reply'])"
        try:
            reply = self._send(
                "", {"answer": f"{module}.reply(globals(), {request!r})"}, self.limits.seconds / 10
            )
            text = reply["user_expressions"]["answer"]["data"]["text/plain"]
            answer = plain.loads(text)
            if not isinstance(answer, dict):
                raise ValueError(text[:80])
        except TimeoutError as late:
            raise AnswerLateError(str(late)) from None
        except (KeyError, TypeError, ValueError):
            raise AnswerStoppedError(f"no value can be read from {name!r}") from None
        if "error" in answer:
            raise AnswerStoppedError(str(answer["error"])[:1000])
        return answer

    def _send(self, code: str, expressions: dict[str, str], seconds: float) -> dict[str, Any]:
        """Have code run; return the content of the reply."""
        if self.stopped:
            raise KernelStoppedError(self.stopped)
        sent = self.client.execute(
            code,
            store_history=bool(code),
            user_expressions=expressions,
            allow_stdin=True,
            stop_on_error=False,
        )
        reply = self._reply(sent, seconds)
        if reply is not None:
            return reply
        with suppress(ProcessLookupError):
            os.kill(self.process, 2)
        if self._reply(sent, PATIENCE) is None:
            self._kill(f"it took longer than {max(seconds, 0):.0f} s and could not be interrupted")
            raise KernelStoppedError(self.stopped)
        raise TimeoutError(f"it took longer than {max(seconds, 0):.0f} s")

    def _reply(self, sent: str, seconds: float) -> dict[str, Any] | None:
        """The content of the reply to a message, or None if there is none in time."""
        poller = zmq.Poller()
        for channel in (self.client.shell_channel, self.client.stdin_channel):
            poller.register(channel.socket, zmq.POLLIN)
        latest, end = time.monotonic() + WAITING * seconds, self._processor_time() + seconds
        while time.monotonic() < latest and (self.stopped or self._processor_time() < end):
            ready = dict(poller.poll(250))
            try:
                if self.client.stdin_channel.socket in ready:
                    message = self.client.stdin_channel.get_msg(timeout=0)
                    self.client.input(self.data_of(str(message["content"].get("prompt"))))
                elif self.client.shell_channel.socket in ready:
                    message = self.client.shell_channel.get_msg(timeout=0)
                    if message["parent_header"].get("msg_id") == sent:
                        return dict(message["content"])
            except Exception as error:  # whatever a kernel sends that is no message of Jupyter
                self._kill(f"its kernel sent what cannot be read: {type(error).__name__}")
            if self.stopped:
                raise KernelStoppedError(self.stopped)
        return None

    def _processor_time(self) -> float:
        """Seconds that the kernel's processes have used; notices if it has ended or takes too much memory."""
        try:
            processes = [kernel := psutil.Process(self.process), *kernel.children(recursive=True)]
            if kernel.status() == psutil.STATUS_ZOMBIE:
                raise psutil.NoSuchProcess(self.process)
        except psutil.NoSuchProcess:
            self.stopped = self.stopped or "its kernel ended: a cell or an answer ended it, or took too much"
            return 0.0
        memory = seconds = 0.0
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                memory += process.memory_info().rss - process.memory_info().shared
                seconds += sum(process.cpu_times())
        if memory > self.limits.memory * MEGABYTE:
            self._kill(f"it took more than {self.limits.memory} MB of memory")
        if _written(self.folder) > self.limits.disk * MEGABYTE:
            self._kill(f"it wrote more than {self.limits.disk} MB, or more than {MOST_FILES} files")
        return seconds

    def _kill(self, reason: str) -> None:
        self.stopped = self.stopped or reason or "closed"
        if self.process:
            with suppress(ProcessLookupError):
                os.kill(self.process, 9)


def _written(folder: str) -> float:
    """Bytes of the files in a folder; without end if they are too many to be counted each time."""
    total, count = 0.0, 0
    for place, folders, files in os.walk(folder):
        count += len(folders) + len(files)
        if count > MOST_FILES:
            return float("inf")
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
    return total
