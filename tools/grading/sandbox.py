"""The process that students' kernels are forked from; it imports PyTorch once.

Every request forks a child that gives up what it can and becomes a kernel. On Linux, as root or where users
may make namespaces, it sees a file system with the allowed packages and nothing else, no network and no other
process, and has no right that others lack. Elsewhere it closes these to itself (:mod:`grading.locks`), and as
root in a container it is a user of its own. Limits of processor time, memory, processes and files hold
everywhere. This file imports the standard library only.
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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from grading.locks import NO_NEW_PRIVILEGES, around, libc, only_files, only_own_process

NAMESPACES, USER, LIMITS = "namespaces", "user", "limits"
FILES, OTHERS = "files", "others"
NEW_NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000  # mount, uts, ipc, pid, net
NEW_USER = 0x10000000
BIND, PRIVATE, HARMLESS = 0x5000, 0x44000, 0x6  # recursive; without setuid and devices
DEATH_SIGNAL, ADOPT_ORPHANS = 1, 36
SET_ATTRIBUTES, AT_FOLDER, RECURSIVE, READ_ONLY = 442, -100, 0x8000, 0x1
FIRST_USER = 50_000
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
MEGABYTE = 2**20


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    libc("mount", source, target, kind, ctypes.c_ulong(flags), options)


def protection() -> list[str]:
    """What this process can give a child: one of three levels, and the locks that hold."""
    if sys.platform != "linux":
        return [LIMITS]
    level = NAMESPACES if _works(_unshare) else USER if os.geteuid() == 0 else LIMITS
    locks = {FILES: lambda: only_files((), ()), OTHERS: only_own_process}
    return [level, *(name for name, lock in locks.items() if _works(lock))]


def _works(action: Callable[[], object]) -> bool:
    """Whether a child can do something, which it tells by anything but False or an error."""
    child = os.fork()
    if child == 0:
        with suppress(OSError):
            os._exit(action() is False)
        os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _unshare() -> None:
    """Leave the namespaces of the machine; without root, in a user namespace that maps this user only."""
    user, group = os.geteuid(), os.getegid()
    libc("unshare", NEW_NAMESPACES | (NEW_USER if user else 0))
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
    libc("syscall", SET_ATTRIBUTES, AT_FOLDER, path, flags, attributes, ctypes.c_size_t(len(attributes)))


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
        libc("capset", header, ctypes.create_string_buffer(24))
        libc("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc("prctl", DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    memory, disk = asked["memory"] * MEGABYTE, asked["disk"] * MEGABYTE
    limits = {"CPU": 4 * asked["seconds"], "DATA": memory, "FSIZE": disk, "CORE": 0, "NOFILE": 512}
    limits["NPROC"] = asked["processes"] + (_threads_of_user() if asked["level"] == LIMITS else 0)
    for name, most in limits.items():
        with suppress(ValueError, OSError):  # a lower one is set already, or the system knows none
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def _threads_of_user() -> int:
    """How many there are: without a user of its own, a kernel's limit counts those of the teacher as well."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            count += len(os.listdir(process / "task")) if process.stat().st_uid == os.getuid() else 0
    return count


def _lock(asked: dict[str, Any]) -> None:
    """Close what would not be there in namespaces of its own, as far as the system can."""
    sites = asked["sites"]
    closed = {os.path.realpath(path) for path in (*sites, *asked["hidden"])}
    shown = [*asked["shown"], *(f"{site}/{name}" for site, names in sites.items() for name in names)]
    readable = [part for path in shown for part in around(os.path.realpath(path), closed)]
    listed = [*asked["shown"], *asked["path"]]
    writable = [asked["folder"], asked["connection"], *DEVICES[:3]]
    only_files([*readable, *DEVICES, "/proc/cpuinfo"], writable, listed)
    only_own_process()


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
    """Refuses to import what is not allowed, where its files cannot be hidden."""

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
    if asked["level"] != NAMESPACES:
        _lock(asked)
    os.chdir(asked["folder"])
    for name, content in files.items():
        Path(name).write_bytes(content)
    tempfile.tempdir = None
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path[:] = [path for path in sys.path if path not in asked["sites"]] + asked["path"]
    sys.path_importer_cache.clear()
    if asked["level"] != NAMESPACES:
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
    if sys.platform == "linux":
        libc("prctl", ADOPT_ORPHANS, 1, 0, 0, 0)
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
    _end_children()
    with suppress(ProcessLookupError):
        os.killpg(0, signal.SIGKILL)


def _end_children() -> None:
    """End what a kernel leaves behind, and what that leaves behind: orphans are children of this process."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while found := children.read_text().split() if children.exists() else []:
        for child in found:
            os.kill(int(child), signal.SIGKILL)
        os.waitpid(-1, 0)


def main(address: str, settings: str) -> None:
    """Serve kernels until the grader goes away; what was laid out for them goes with it."""
    try:
        _serve(address, settings)
    finally:
        shutil.rmtree(os.path.dirname(address), ignore_errors=True)


def _serve(address: str, settings: str) -> None:
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
    found = protection()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print(*found, flush=True)
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:  # it ends with the grader
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            with suppress(Exception):
                _watch(connection)
            os._exit(0)
        connection.close()
