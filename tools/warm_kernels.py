"""Kernels that start with PyTorch already loaded: many notebooks are graded in little time.

:func:`warm_kernels` imports some modules once and then, for every kernel that Jupyter starts, forks a child
that becomes the kernel. Jupyter finds a kernel named ``python3`` whose process is a small client (this file
as a script): it asks for the fork and stays as long as the child lives. Nothing else about the run changes.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def warm_kernels(modules: Sequence[str]) -> Iterator[None]:
    """Start every kernel of this process, while inside, as a fork of one that has imported ``modules``."""
    if sys.platform != "linux":  # elsewhere forking a process with threads is not safe: kernels start cold
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        address = os.path.join(folder, "socket")
        server = _start_server(address, modules)
        spec = {
            "argv": [sys.executable, "-I", "-S", str(Path(__file__).resolve()), address, "{connection_file}"],
            "display_name": "Python 3",
            "language": "python",
        }
        kernel = Path(folder, "kernels", "python3", "kernel.json")
        kernel.parent.mkdir(parents=True)
        kernel.write_text(json.dumps(spec), encoding="utf-8")
        before = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [folder, before]))
        try:
            yield
        finally:
            os.environ.pop("JUPYTER_PATH")
            if before is not None:
                os.environ["JUPYTER_PATH"] = before
            os.kill(server, signal.SIGTERM)
            os.waitpid(server, 0)


def _start_server(address: str, modules: Sequence[str]) -> int:
    """Fork a server that listens at ``address``; return its process id once it has imported ``modules``."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    read, write = os.pipe()
    if server := os.fork():
        listener.close()
        os.close(write)
        with os.fdopen(read) as answer:
            if answer.read() != "ready":  # the server's own traceback says more
                raise RuntimeError(f"modules: could not import one of {', '.join(modules)}")
        return server
    try:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the children are nobody's zombies
        for module in modules:
            importlib.import_module(module)
        os.write(write, b"ready")
        os.close(write)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _become_kernel(connection)
            connection.close()
    except BaseException:
        traceback.print_exc()
    os._exit(1)  # never back into the caller's code


def _become_kernel(connection: socket.socket) -> None:
    """Take folder and environment of the client, and run a kernel until it is shut down."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asked = json.loads(connection.makefile().readline())
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        connection.sendall(f"{os.getpid()}\n".encode())
        silence = os.open(os.devnull, os.O_WRONLY)  # what the notebook prints goes to Jupyter, not here
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        sys.argv = ["ipykernel_launcher", "--quiet", "-f", *asked["arguments"]]
        from ipykernel import kernelapp

        kernelapp.launch_new_instance()
    except BaseException:
        traceback.print_exc()
    os._exit(0)


def _ask(address: str, *arguments: str) -> None:
    """The client: have a kernel forked, and live as long as it does."""
    environment = {key: value for key, value in os.environ.items() if key != "JPY_PARENT_PID"}
    asked = {"arguments": arguments, "folder": os.getcwd(), "environment": environment}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall((json.dumps(asked) + "\n").encode())
        answers = connection.makefile()
        kernel = int(answers.readline())

        def pass_on(number: int, _: object) -> None:
            with suppress(ProcessLookupError):
                os.kill(kernel, number)

        signal.signal(signal.SIGINT, pass_on)
        signal.signal(signal.SIGTERM, pass_on)
        answers.read()  # ends when the kernel does


if __name__ == "__main__":
    _ask(*sys.argv[1:])
