"""Runs an action in a child process and makes one of its writes to a folder go wrong.

The child is traced by the kernel (seccomp and ptrace), so every change of a file is seen, whether
Python, SQLite, tantivy or numpy makes it, in whichever thread. Linux on x86-64 only.
"""

import ctypes
import errno
import os
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Fault = Literal["kill", "torn", "full", "failing", "read-only"]
FAULTS: dict[Fault, str] = {
    "kill": "killed before the call",
    "torn": "half of the bytes are written, then killed",
    "full": "no space left from this call on",
    "failing": "this one call fails with an input/output error",
    "read-only": "the disk refuses every change from this call on",
}

TRACEME, PEEK_REGS, POKE_REGS, CONT, SYSCALL, KILL_WITH_ME = 0, 12, 13, 7, 24, 1 << 20
SET_OPTIONS, SECCOMP_STOP = 0x4200, 7
FOLLOW = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << SECCOMP_STOP  # children and threads too
AFTER_A_CALL = signal.SIGTRAP | 0x80
WALL = 0x40000000
SET_NO_NEW_PRIVS, SET_SECCOMP, FILTER_MODE = 38, 22, 2
X86_64, ALLOW, STOP = 0xC000003E, 0x7FFF0000, 0x7FF00000
WRITABLE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
ARGS = (14, 13, 12, 7, 9, 8)  # rdi, rsi, rdx, r10, r8, r9 in user_regs_struct
RESULT, NUMBER = 10, 15
REGS = 27

# name -> (number, where its file descriptor is, where its (folder, path) are)
CALLS: dict[str, tuple[int, int | None, tuple[tuple[int | None, int], ...]]] = {
    "write": (1, 0, ()),
    "pwrite64": (18, 0, ()),
    "writev": (20, 0, ()),
    "pwritev": (296, 0, ()),
    "pwritev2": (328, 0, ()),
    "sendfile": (40, 0, ()),
    "copy_file_range": (326, 2, ()),
    "fsync": (74, 0, ()),
    "fdatasync": (75, 0, ()),
    "ftruncate": (77, 0, ()),
    "fallocate": (285, 0, ()),
    "fchmod": (91, 0, ()),
    "open": (2, None, ((None, 0),)),
    "creat": (85, None, ((None, 0),)),
    "openat": (257, None, ((0, 1),)),
    "truncate": (76, None, ((None, 0),)),
    "rename": (82, None, ((None, 0), (None, 1))),
    "renameat": (264, None, ((0, 1), (2, 3))),
    "renameat2": (316, None, ((0, 1), (2, 3))),
    "unlink": (87, None, ((None, 0),)),
    "unlinkat": (263, None, ((0, 1),)),
    "rmdir": (84, None, ((None, 0),)),
    "mkdir": (83, None, ((None, 0),)),
    "mkdirat": (258, None, ((0, 1),)),
    "link": (86, None, ((None, 0), (None, 1))),
    "linkat": (265, None, ((0, 1), (2, 3))),
    "symlink": (88, None, ((None, 1),)),
    "symlinkat": (266, None, ((1, 2),)),
    "chmod": (90, None, ((None, 0),)),
    "fchmodat": (268, None, ((0, 1),)),
}
NAMES = {number: name for name, (number, _, _) in CALLS.items()}
SYNCS = ("fsync", "fdatasync")
TEARABLE = ("write", "pwrite64")
FREEING = ("unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "chmod", "fchmodat")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


def supported() -> bool:
    """Whether this machine can trace."""
    return sys.platform == "linux" and os.uname().machine == "x86_64"


@dataclass(frozen=True, slots=True)
class Point:
    """One change of a file: the call and the path, relative to the folder that is watched."""

    call: str
    path: str


@dataclass(slots=True)
class Traced:
    """What a traced action did, and how it ended: its exit status, negative for a signal."""

    points: list[Point] = field(default_factory=list)
    status: int = 0
    hit: bool = False


def trace(
    action: Callable[[], int], folder: Path, at: int | None = None, fault: Fault = "kill"
) -> Traced:
    """Run an action in a child and let its `at`-th change of a file in `folder` go wrong.

    Args:
        action: runs in the child, which exits with what it returns.
        folder: only changes below it count; an absolute path without links.
        at: which change, from 0; None lets all of them be.
        fault: what happens then.
    """
    child = os.fork()
    if child == 0:
        _run_as_child(action)
    os.waitpid(child, WALL)
    _ptrace(SET_OPTIONS, child, FOLLOW | KILL_WITH_ME)
    _ptrace(CONT, child, 0)
    seen = Traced()
    started = {child}
    while True:
        try:
            thread, status = os.waitpid(-1, WALL)
        except ChildProcessError:
            return seen
        if not os.WIFSTOPPED(status):
            if thread == child:
                seen.status = os.waitstatus_to_exitcode(status)
            continue
        resume, deliver = CONT, 0
        if status >> 8 == signal.SIGTRAP | SECCOMP_STOP << 8:
            resume = _stopped(thread, child, folder, at, fault, seen)
        elif status >> 16 == 0:
            number = os.WSTOPSIG(status)
            if number == AFTER_A_CALL:
                os.kill(child, signal.SIGKILL)
            elif number != signal.SIGSTOP or thread in started:
                deliver = number
        started.add(thread)
        try:
            _ptrace(resume, thread, deliver)
        except ProcessLookupError:
            pass


def _run_as_child(action: Callable[[], int]) -> None:
    status = 70
    try:
        _libc.ptrace(TRACEME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        _install_filter()
        status = action()
    finally:
        os._exit(status)


def _install_filter() -> None:
    """Stop for the tracer at the calls that change files, and at those alone."""
    flags_at = {CALLS["openat"][0]: 32, CALLS["open"][0]: 24}
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, X86_64), (0x06, 0, 0, ALLOW), (0x20, 0, 0, 0)]
    for number, _, _ in CALLS.values():
        if number in flags_at:
            code += [
                (0x15, 0, 3, number),
                (0x20, 0, 0, flags_at[number]),
                (0x45, 0, 1, WRITABLE),
                (0x06, 0, 0, STOP),
                (0x20, 0, 0, 0),
            ]
        else:
            code += [(0x15, 0, 1, number), (0x06, 0, 0, STOP)]
    code.append((0x06, 0, 0, ALLOW))
    packed = b"".join(struct.pack("HBBI", *line) for line in code)
    program = ctypes.create_string_buffer(packed, len(packed))
    head = struct.pack("H6xQ", len(code), ctypes.addressof(program))
    buffer = ctypes.create_string_buffer(head, len(head))
    _libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _libc.prctl(SET_SECCOMP, FILTER_MODE, ctypes.addressof(buffer), 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter")


def _stopped(
    thread: int, child: int, folder: Path, at: int | None, fault: Fault, seen: Traced
) -> int:
    """Record a change and let it go wrong if it is the one; how the thread goes on."""
    regs = (ctypes.c_ulonglong * REGS)()
    _ptrace(PEEK_REGS, thread, ctypes.addressof(regs))
    name = NAMES[regs[NUMBER]]
    path = next((p for p in _paths(thread, name, regs) if p.startswith(f"{folder}/")), None)
    if path is None:
        return CONT
    number = len(seen.points)
    seen.points.append(Point(name, os.path.relpath(path, folder)))
    if at is None or number < at:
        return CONT
    if fault == "kill" or (fault == "torn" and name not in TEARABLE):
        seen.hit = True
        os.kill(child, signal.SIGKILL)
        return CONT
    if fault == "torn":
        if not seen.hit:
            seen.hit = True
            regs[ARGS[2]] //= 2
            _ptrace(POKE_REGS, thread, ctypes.addressof(regs))
            return SYSCALL
        return CONT
    if fault == "failing" and seen.hit:
        return CONT
    if fault == "full" and name in (*FREEING, *SYNCS):
        return CONT
    code = {"full": errno.ENOSPC, "failing": errno.EIO, "read-only": errno.EROFS}[fault]
    seen.hit = True
    regs[NUMBER] = 2**64 - 1
    regs[RESULT] = 2**64 - code
    _ptrace(POKE_REGS, thread, ctypes.addressof(regs))
    return CONT


def _paths(thread: int, name: str, regs: "ctypes.Array[ctypes.c_ulonglong]") -> list[str]:
    _, descriptor, places = CALLS[name]
    args = [regs[a] for a in ARGS]
    if descriptor is not None:
        return [_link(f"/proc/{thread}/fd/{args[descriptor] & 0xFFFFFFFF}")]
    found = []
    for base, at in places:
        path = _string(thread, args[at])
        if not path.startswith("/"):
            number = None if base is None else ctypes.c_int(args[base] & 0xFFFFFFFF).value
            here = number is None or number < 0
            start = _link(f"/proc/{thread}/cwd" if here else f"/proc/{thread}/fd/{number}")
            path = f"{start}/{path}"
        found.append(os.path.normpath(path))
    return found


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _string(thread: int, address: int) -> str:
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        content = b""
        while b"\0" not in content and len(content) < 4096:
            # Page by page: the next one may not be there.
            content += memory.read(4096 - (address + len(content)) % 4096)
    return os.fsdecode(content.split(b"\0")[0])


def _ptrace(request: int, thread: int, data: int) -> None:
    if _libc.ptrace(request, thread, None, data) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code)) if code != errno.ESRCH else ProcessLookupError()
