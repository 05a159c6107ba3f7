"""The process that students' kernels are forked from: ``python -I -S sandbox.py ADDRESS SETTINGS``.

It imports PyTorch once; every request forks a child that gives up what it can and becomes a kernel. On
Linux, as root or where users may make namespaces, it sees a file system with the allowed packages and nothing
else, no network and no other process, and has no right that others lack; as root in a container it is a user
of its own. Limits of processor time, memory, processes and files hold everywhere. This file imports the
standard library only.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

NAMESPACES, USER, LIMITS = "namespaces", "user", "limits"
NEW_NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000  # mount, uts, ipc, pid, net
NEW_USER = 0x10000000
BIND, PRIVATE, HARMLESS = 0x5000, 0x44000, 0x6  # recursive; without setuid and devices
DEATH_SIGNAL, NO_NEW_PRIVILEGES = 1, 38
SET_ATTRIBUTES, AT_FOLDER, RECURSIVE, READ_ONLY = 442, -100, 0x8000, 0x1
FIRST_USER = 50_000
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
MEGABYTE = 2**20


def _libc(name: str, *arguments: Any) -> None:
    """Call a function of the C library; raise OSError if it fails."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*(a.encode() if isinstance(a, str) else a for a in arguments)) < 0:
        raise OSError(ctypes.get_errno(), f"{name}{arguments}: {os.strerror(ctypes.get_errno())}")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    _libc("mount", source, target, kind, ctypes.c_ulong(flags), options)


def level() -> str:
    """Which of the three protections this process can give a child."""
    if sys.platform != "linux":
        return LIMITS
    child = os.fork()
    if child == 0:
        with suppress(OSError):
            _unshare()
            os._exit(0)
        os._exit(1)
    if os.waitpid(child, 0)[1] == 0:
        return NAMESPACES
    return USER if os.geteuid() == 0 else LIMITS


def _unshare() -> None:
    """Leave the namespaces of the machine; without root, in a user namespace that maps this user only."""
    user, group = os.geteuid(), os.getegid()
    _libc("unshare", NEW_NAMESPACES | (NEW_USER if user else 0))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount("none", "/", None, PRIVATE)


def _enter(asked: dict[str, Any]) -> None:
    """Make a root with what is shown, read-only, and folders of its own; what is not shown is not there."""
    root, writable = asked["root"], ["/tmp", "/dev/shm", asked["folder"], asked["connection"]]
    _new(root, "size=16m,mode=755")
    for folder in writable[:3]:
        os.makedirs(root + folder, exist_ok=True)
        _new(root + folder, f"size={asked['disk']}m,mode=777")
    for path in (*asked["shown"], asked["connection"], *DEVICES):
        _show(path, root)
    for folder, names in asked["sites"].items():
        os.makedirs(root + folder, exist_ok=True)
        _new(root + folder, "size=16m,mode=755")
        for name in names:
            _show(os.path.join(folder, name), root)
    for folder in filter(os.path.isdir, asked["hidden"]):
        _new(root + folder, "size=1m,mode=000")
    os.makedirs(root + "/proc")
    _set_attributes(root, RECURSIVE, READ_ONLY, 0)
    for folder in writable:
        _set_attributes(root + folder, 0, 0, READ_ONLY)
    with suppress(OSError):  # not in a container that hides parts of its own
        _mount("proc", root + "/proc", "proc", HARMLESS)
    os.chroot(root)


def _new(folder: str, options: str) -> None:
    _mount("tmpfs", folder, "tmpfs", HARMLESS, options)


def _set_attributes(path: str, flags: int, added: int, removed: int) -> None:
    """The system call mount_setattr, which also holds where a remount would need the old flags."""
    attributes = b"".join(value.to_bytes(8, sys.byteorder) for value in (added, removed, 0, 0))
    _libc("syscall", SET_ATTRIBUTES, AT_FOLDER, path, flags, attributes, ctypes.c_size_t(len(attributes)))


def _show(path: str, root: str) -> None:
    """Bind a file or folder at its own place below ``root``."""
    target = root + path
    if not os.path.exists(path) or os.path.lexists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.mkdir(target)
    else:
        open(target, "x").close()
    _mount(path, target, None, BIND)


def _give_up_rights(asked: dict[str, Any]) -> None:
    """Become a user with no right, now and later, whose processes are bounded."""
    if os.geteuid() == 0 and asked["level"] != LIMITS:
        own = FIRST_USER + asked["number"] % 10_000
        for folder in (asked["folder"], asked["connection"]):
            os.chown(folder, own, own)
        os.setgroups([])
        os.setresgid(own, own, own)
        os.setresuid(own, own, own)
    if sys.platform == "linux":
        header = ctypes.create_string_buffer((0x20080522).to_bytes(4, sys.byteorder) + bytes(4), 8)
        _libc("capset", header, ctypes.create_string_buffer(24))
        _libc("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _libc("prctl", DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    memory, disk = asked["memory"] * MEGABYTE, asked["disk"] * MEGABYTE
    limits = {"CPU": 4 * asked["seconds"], "DATA": memory, "FSIZE": disk, "CORE": 0, "NOFILE": 512}
    if asked["level"] != LIMITS:  # without a user of its own the processes of the teacher count as well
        limits["NPROC"] = asked["processes"]
    for name, most in limits.items():
        with suppress(ValueError, OSError):  # a lower one is set already, or the system knows none
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


class Absent:
    """Stands for a module that is left out: PyTorch may name what is in it, and nobody can call that."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, part: str) -> Absent:
        if part.startswith("__"):
            raise AttributeError(part)
        return Absent(f"{self._name}.{part}")

    def __call__(self, *_: Any, **__: Any) -> None:
        """Raise ModuleNotFoundError."""
        raise ModuleNotFoundError(f"{self._name} is not installed here")


class Only:
    """Refuses to import what is not allowed: all that is left where no file can be hidden."""

    def __init__(self, allowed: list[str], hidden: list[str]):
        self.allowed, self.hidden = {*allowed, *sys.builtin_module_names, *sys.stdlib_module_names}, hidden

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Raise for a module that is not allowed; let the others be found."""
        if name.partition(".")[0] not in self.allowed or name in self.hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _become_kernel(asked: dict[str, Any], connection: socket.socket) -> None:
    """The forked child: nothing of the grader is left once a line of the student's runs."""
    files = {path.name: path.read_bytes() for path in Path(asked["files"]).iterdir() if path.is_file()}
    if asked["level"] == NAMESPACES:
        _enter(asked)
    _give_up_rights(asked)
    os.chdir(asked["folder"])
    for name, content in files.items():
        Path(name).write_bytes(content)
    tempfile.tempdir = None
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path[:] = [path for path in sys.path if path not in asked["sites"]] + asked["path"]
    sys.path_importer_cache.clear()
    if asked["level"] == LIMITS:
        sys.meta_path.insert(0, Only(asked["allowed"], asked["without"]))
    connection.close()
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    from ipykernel import kernelapp

    sys.argv = ["ipykernel_launcher", "--quiet", "-f", asked["connection_file"], *asked["options"]]
    kernelapp.launch_new_instance()


def _watch(connection: socket.socket) -> None:
    """The forked child's parent: ends with the kernel, or ends it when the grader goes away."""
    os.setsid()
    asked = json.loads(connection.makefile().readline()) | {"number": os.getpid()}
    if asked["level"] == NAMESPACES:
        _unshare()
    kernel = os.fork()
    if kernel == 0:
        try:
            _become_kernel(asked, connection)
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    connection.sendall(f"{kernel}\n".encode())
    connection.setblocking(False)
    while os.waitpid(kernel, os.WNOHANG) == (0, 0):
        if select.select([connection], [], [], 0.1)[0] and not connection.recv(1):
            os.kill(kernel, signal.SIGKILL)
            break
    connection.close()
    with suppress(ProcessLookupError):
        os.killpg(0, signal.SIGKILL)


def main(address: str, settings: str) -> None:
    """Import what kernels need, say which protection there is, and fork a kernel for every request."""
    asked = json.loads(settings)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.path += asked["path"]
    for name in asked["without"]:
        sys.modules[name] = Absent(name)  # type: ignore[assignment]
    for module in asked["preload"]:
        with suppress(ImportError):
            importlib.import_module(module)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    found = level()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print(found, flush=True)
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:  # it ends with the grader
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            with suppress(Exception):
                _watch(connection)
            os._exit(0)
        connection.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    finally:
        shutil.rmtree(os.path.dirname(sys.argv[1]), ignore_errors=True)
