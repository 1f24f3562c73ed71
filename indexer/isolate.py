"""A document read in a child process, so that a bad file fails alone.

The child is its own session and is killed as a group. Its processor time and address space are
bounded by the system; what it really holds is watched by a thread of its own, because macOS does
not enforce the bound on address space. The answer comes back as JSON over a pipe, bounded in size.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from corpus.errors import DocumentError
from corpus.model import Box, Cell, Document, Form, Page, Reading, Section
from indexer.load.limits import DEFAULT, Limits

__all__ = ["Limits", "page_image", "read_isolated"]

IMAGE_LONG_SIDE = 1400
TOO_MUCH_MEMORY = 77
"""Exit status of a child that stopped itself because it held more than it may."""
WATCH_SECONDS = 0.05
STDERR_KEPT = 2000
ROOT = Path(__file__).resolve().parent.parent
STARVED = (signal.SIGABRT, signal.SIGILL, signal.SIGTRAP)
"""How PDFium and the C library end a program whose wish for memory is not granted."""


def read_isolated(path: Path, parts: Sequence[Document], limits: Limits = DEFAULT) -> list[Reading]:
    """One reading for each document of a file, in the order given; safe to call from threads.

    Raises:
        DocumentError: the file cannot be read, or reading it takes more than it may.
    """
    task = {"do": "read", "path": str(path), "parts": [asdict(part) for part in parts]}
    return [_reading(packed) for packed in json.loads(_run(path, task, limits))]


def page_image(path: Path, page: int, limits: Limits = DEFAULT) -> bytes:
    """A PNG of one page of a PDF, counted from 1, about 1400 pixels on its long side.

    Raises:
        DocumentError: the file is no PDF, or has no such page, or drawing it takes too much.
    """
    return _run(path, {"do": "image", "path": str(path), "page": page}, limits)


# The parent's side.


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: what it said, its exit status, or why it was not heard out."""

    output: bytes
    errors: str
    status: int
    reason: str = ""


def _run(path: Path, task: dict[str, Any], limits: Limits) -> bytes:
    ended = _child({**task, "limits": asdict(limits), "parent": os.getpid()}, limits)
    if ended.reason:
        raise DocumentError(f"{path.name} {ended.reason}.")
    if ended.status == TOO_MUCH_MEMORY:
        raise DocumentError(f"{path.name} needs more than {limits.memory_mb} MB of memory to read.")
    if ended.status < 0:
        raise DocumentError(f"{path.name} {_killed(ended, limits)}.")
    kind, _, body = ended.output.partition(b"\n")
    if ended.status == 0 and kind == b"done":
        return body
    if ended.status == 0 and kind == b"refused":
        raise DocumentError(body.decode())
    last = ended.errors.strip().rsplit("\n", 1)[-1] or f"exit status {ended.status}"
    raise DocumentError(f"{path.name} stopped its reader: {last[:200]}.")


def _killed(ended: Ended, limits: Limits) -> str:
    number = -ended.status
    if number == signal.SIGXCPU:
        return f"takes more than {limits.cpu_seconds} seconds of processor time to read"
    name = signal.Signals(number).name
    if number in STARVED:
        wanting = f"it is damaged or needs more than {limits.memory_mb} MB of memory"
        return f"crashed its reader ({name}): {wanting}"
    return f"crashed its reader ({name})"


def _child(task: dict[str, Any], limits: Limits) -> Ended:
    """Runs the child to its end, or to a limit."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "indexer.isolate"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
    )
    deadline = time.monotonic() + limits.seconds
    try:
        said, errors, reason = _talk(process, json.dumps(task).encode(), deadline, limits)
    finally:
        # The group goes in every case: a child that is done may have left a program running. Its
        # own exit status is safe, being settled before the system closes its pipes.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        status = process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            cast(IO[bytes], pipe).close()
    return Ended(said, errors, status, reason)


def _talk(
    process: "subprocess.Popen[bytes]", task: bytes, deadline: float, limits: Limits
) -> tuple[bytes, str, str]:
    """What the child wrote to both its pipes, and why it was not heard out, if so."""
    stdin, stdout, stderr = (
        cast(IO[bytes], pipe) for pipe in (process.stdin, process.stdout, process.stderr)
    )
    try:
        stdin.write(task)
        stdin.close()
    except BrokenPipeError:
        pass
    said, errors = bytearray(), bytearray()
    into = {stdout.fileno(): said, stderr.fileno(): errors}
    poll = select.poll()
    for number in into:
        poll.register(number, select.POLLIN | select.POLLHUP)
    while into:
        left = deadline - time.monotonic()
        if left <= 0:
            return b"", "", f"takes more than {limits.seconds:g} seconds to read"
        for number, _ in poll.poll(left * 1000):
            data = os.read(number, 1 << 16)
            if not data:
                poll.unregister(number)
                del into[number]
            elif into[number] is said:
                said += data
            else:
                errors = (errors + data)[-STDERR_KEPT:]
                into[number] = errors
        if len(said) > limits.output_mb << 20:
            return b"", "", f"holds more than {limits.output_mb} MB of text"
    return bytes(said), errors.decode(errors="replace"), ""


# The child's side.


def main() -> None:
    """Does one task read from standard input, within its limits."""
    task = json.loads(sys.stdin.buffer.read())
    limits = Limits(**task["limits"])
    _bound(limits, task["parent"])
    # A library that prints would spoil the answer: it gets the error stream instead.
    answer = os.dup(1)
    os.dup2(2, 1)
    tasks: dict[str, Callable[[dict[str, Any], Limits], bytes]] = {"read": _read, "image": _image}
    try:
        kind, body = b"done", tasks[task["do"]](task, limits)
    except DocumentError as error:
        kind, body = b"refused", error.message.encode()
    except MemoryError:
        os._exit(TOO_MUCH_MEMORY)
    except RecursionError:
        name = Path(task["path"]).name
        kind, body = b"refused", f"{name} is nested too deeply to be read.".encode()
    with os.fdopen(answer, "wb") as pipe:
        pipe.write(kind + b"\n" + body)
    sys.stderr.flush()
    os._exit(0)  # no library's tidying up can fail what is already done


def _bound(limits: Limits, parent: int) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds)
    _lower(resource.RLIMIT_AS, limits.memory_mb << 20)
    threading.Thread(target=_watch, args=(limits.memory_mb, parent), daemon=True).start()


def _lower(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    try:
        # The hard limit stays, so that SIGXCPU tells the reason before SIGKILL hides it.
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard))
    except (ValueError, OSError):
        pass  # macOS has no bound on address space; the watch holds that limit


def _watch(most_mb: int, parent: int) -> NoReturn:
    while True:
        if os.getppid() != parent:
            os.killpg(0, signal.SIGKILL)  # nobody will ask for the result: what it started goes too
        if _held_mb() > most_mb:
            os._exit(TOO_MUCH_MEMORY)
        time.sleep(WATCH_SECONDS)


def _held_mb() -> int:
    """The memory this process holds now.

    Linux's own high-water mark will not do: a child starts with that of the process it came from.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
    return pages * resource.getpagesize() >> 20


def _read(task: dict[str, Any], limits: Limits) -> bytes:
    from indexer.assemble import assemble
    from indexer.load import load

    parts = [Document(**part) for part in task["parts"]]
    readings = assemble(load(Path(task["path"]), limits), parts)
    return json.dumps([_packed(reading) for reading in readings], ensure_ascii=False).encode()


def _image(task: dict[str, Any], limits: Limits) -> bytes:
    from indexer.load.pdf.picture import png

    return png(Path(task["path"]), task["page"], IMAGE_LONG_SIDE)


def _packed(reading: Reading) -> list[Any]:
    return [
        reading.text,
        [
            [
                s.start,
                s.end,
                s.form,
                s.heading,
                s.level,
                [(c.header, c.start, c.end) for c in s.cells],
                [(b.page, b.left, b.top, b.right, b.bottom) for b in s.boxes],
            ]
            for s in reading.sections
        ],
        [
            [p.number, p.start, p.end, p.label, p.inferred, p.file_page, p.unreadable, p.chrome]
            for p in reading.pages
        ],
        reading.warnings,
        reading.reader,
    ]


def _reading(packed: list[Any]) -> Reading:
    text, sections, pages, warnings, reader = packed
    return Reading(
        text,
        tuple(_section(*section) for section in sections),
        tuple(_page(*page) for page in pages),
        tuple(warnings),
        reader,
    )


def _page(*told: Any) -> Page:
    number, start, end, label, inferred, file_page, unreadable, chrome = told
    return Page(number, start, end, label, inferred, file_page, unreadable, tuple(chrome))


def _section(
    start: int, end: int, form: Form, heading: Any, level: int, cells: Any, boxes: Any
) -> Section:
    return Section(
        start,
        end,
        form,
        tuple(heading),
        level,
        tuple(Cell(*cell) for cell in cells),
        tuple(Box(*box) for box in boxes),
    )


if __name__ == "__main__":
    main()
