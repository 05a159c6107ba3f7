"""Locks that a process puts on itself and its children for good, without any right: Landlock and seccomp.

They hold where a system gives no namespaces to a user or a container: files by Landlock (Linux 5.13), calls
of the system that reach the network or other processes by a filter. This file imports the standard library
only.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL_DEV = (1 << n for n in (0, 1, 2, 3, 14, 15))
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR
RIGHTS = (0, 13, 14, 15, 15, 16)
"""How many rights of files a version of Landlock knows, from version 0, none, to 5 and later."""
TCP = SCOPES = 0b11
"""To bind and connect, from version 4; abstract sockets and signals of others, from version 6."""

NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
LOAD, IF_EQUAL, IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER_AT, MACHINE_AT, FIRST_ARGUMENT_AT = 0, 4, 16
ALLOWED, REFUSED = 0x7FFF0000, 0x00050000 | 95  # with the error EOPNOTSUPP, which ZeroMQ lives with
OTHER_TABLE = 0x40000000  # numbers of x32, the second table of x86-64
UNIX = 1
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CALLS: dict[str, tuple[int, int]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "setpriority": (141, 140),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "setns": (308, 268),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
}
"""Numbers of the calls that are bounded, on the two machines."""


def libc(name: str, *arguments: object) -> int:
    """Call a function of the C library; raise OSError if it fails."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    result = int(function(*(a.encode() if isinstance(a, str) else a for a in arguments)))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}{arguments}: {os.strerror(ctypes.get_errno())}")
    return result


def version() -> int:
    """The version of Landlock that this system has, 0 for none."""
    with suppress(OSError):
        return libc("syscall", CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    return 0


def around(path: str, closed: Collection[str]) -> Iterator[str]:
    """The path, or what is in it beside ``closed``."""
    if path in closed:
        return
    if not any(other.startswith(f"{path}/") for other in closed):
        yield path
        return
    for name in os.listdir(path):
        yield from around(os.path.join(path, name), closed)


def only_files(readable: Iterable[str], writable: Iterable[str], listed: Iterable[str] = ()) -> bool:
    """Close all files but those in these files and folders; return whether the system can.

    Args:
        readable: to read, and to execute.
        writable: to do anything with.
        listed: folders to list, with those in them.
    """
    found = version()
    if not found:
        return False
    every = (1 << RIGHTS[min(found, 5)]) - 1
    handled = [every, *([TCP] if found >= 4 else []), *([SCOPES] if found >= 6 else [])]
    asked = struct.pack(f"={len(handled)}Q", *handled)
    rules = libc("syscall", CREATE_RULESET, asked, ctypes.c_size_t(len(asked)), 0)
    for rights, paths in ((READ, readable), (every, writable), (READ_DIR, listed)):
        for path in filter(os.path.exists, paths):
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
            of_this = rights & every & (-1 if os.path.isdir(path) else OF_A_FILE)
            if of_this:  # a file cannot be listed
                libc("syscall", ADD_RULE, rules, 1, struct.pack("=Qi", of_this, file), 0)
            os.close(file)
    libc("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc("syscall", RESTRICT_SELF, rules, 0)
    os.close(rules)
    return True


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _bounded(number: int, values: Collection[int]) -> bytes:
    """Refuse a call unless its first argument is one of ``values``; go on for another call."""
    count = len(values)
    return b"".join(
        [
            _instruction(IF_EQUAL, number, 0, count + 3),
            _instruction(LOAD, FIRST_ARGUMENT_AT),
            *(_instruction(IF_EQUAL, value, count - n) for n, value in enumerate(values)),
            _instruction(RETURN, REFUSED),
            _instruction(RETURN, ALLOWED),
        ]
    )


def only_own_process() -> bool:
    """Close the network and other processes; return whether the system can."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in MACHINES:
        return False
    first: Mapping[str, Collection[int]] = {
        "socket": (UNIX,),
        **dict.fromkeys(("kill", "tgkill"), (os.getpid(),)),
        **dict.fromkeys(("prlimit64", "sched_setaffinity"), (os.getpid(), 0)),
    }
    column = list(MACHINES).index(machine)
    program = b"".join(
        [
            _instruction(LOAD, MACHINE_AT),
            _instruction(IF_EQUAL, MACHINES[machine], 1),
            _instruction(RETURN, REFUSED),
            _instruction(LOAD, NUMBER_AT),
            _instruction(IF_AT_LEAST, OTHER_TABLE, 0, 1),
            _instruction(RETURN, REFUSED),
            *(_bounded(numbers[column], first.get(name, ())) for name, numbers in CALLS.items()),
            _instruction(RETURN, ALLOWED),
        ]
    )
    text = ctypes.create_string_buffer(program, len(program))
    asked = struct.pack("@HP", len(program) // 8, ctypes.addressof(text))
    with suppress(OSError):
        libc("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc("prctl", SET_SECCOMP, FILTER, asked, 0, 0)
        return True
    return False
