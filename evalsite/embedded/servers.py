"""The two servers: how each is asked, started and stopped. Both are daemons that outlive who started them."""

from __future__ import annotations

import shlex
import shutil
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil
import psycopg2

from evalsite.embedded.layout import EmbeddedError, Layout, make_private

if TYPE_CHECKING:
    from evalsite.embedded.programs import Programs

MAJOR = "18"
ANSWER_SECONDS = 2
START_SECONDS = 60
STOP_SECONDS = 60
# After a kill -9 of the server its last children may hold the shared memory for a moment.
LAUNCHES = 6


@dataclass(frozen=True)
class Server:
    """One embedded server; its files lie in the layout's directories."""

    where: Layout

    label = ""
    name = ""  # of the data directory and the log
    program = ""
    stop_signal = signal.SIGTERM

    @property
    def data(self) -> Path:
        return self.where.place / self.name

    @property
    def log(self) -> Path:
        return self.where.place / "logs" / f"{self.name}.log"

    @property
    def socket(self) -> Path:
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether the server takes requests now."""
        raise NotImplementedError

    def prepare(self, programs: Programs, held: int) -> None:
        """Make the data where there is none; children get the lock `held`, so that no start overtakes them."""

    def launch(self, programs: Programs) -> None:
        """Start the daemon."""
        raise NotImplementedError

    def process(self) -> psutil.Process | None:
        """Return the running server, known by its working directory: pid files outlive their process."""
        found = [process for process in psutil.process_iter(["name"]) if self._is_ours(process)]
        return min(found, key=lambda process: process.create_time(), default=None)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return (
                process.info["name"] == self.program
                and Path(process.cwd()) == self.data
                and not process.cmdline()[0].startswith("postgres:")  # children name their duty
            )
        except (psutil.Error, IndexError):
            return False

    def bring_up(self, programs: Programs, held: int) -> None:
        """Start the server and wait until it answers; one that runs already is waited for."""
        running = self.process()
        if running and not self.socket.exists():
            # Its directory was removed or its socket swept away: nothing can reach it any more.
            self.halt(running)
        self.prepare(programs, held)
        launches, refusal = 0, ""
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process() is None:
                if launches == LAUNCHES:
                    raise EmbeddedError(
                        f"{self.label} does not start: {self._last_words() or refusal} (see {self.log})"
                    )
                time.sleep(0.2 * launches)
                launches += 1
                try:
                    self.launch(programs)
                except EmbeddedError as error:
                    refusal = str(error)
            elif time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{self.label} runs and does not answer: {self._last_words()} (see {self.log})"
                )
            time.sleep(0.05)

    def halt(self, running: psutil.Process) -> None:
        """Ask the server to end and wait for it; it is never killed, as that would put its data at risk."""
        with suppress(psutil.NoSuchProcess):
            running.send_signal(self.stop_signal)
        deadline = time.monotonic() + STOP_SECONDS
        while self.process():
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{self.label} (process {running.pid}) has not stopped for {STOP_SECONDS} seconds"
                )
            time.sleep(0.05)

    def _last_words(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        telling = [line for line in lines[-20:] if "FATAL" in line or "PANIC" in line or " # " in line]
        return (telling or lines or [""])[-1].strip()


@dataclass(frozen=True)
class Postgres(Server):
    """PostgreSQL. Only the role `evalsite` can log in, no superuser, and only as the files' owner or root."""

    label = "PostgreSQL"
    name = "postgres"
    program = "postgres"
    stop_signal = signal.SIGINT  # disconnects clients; SIGTERM would wait for them

    @property
    def socket(self) -> Path:
        return self.where.sockets / ".s.PGSQL.5432"

    @property
    def url(self) -> str:
        """The address for `dj_database_url`; it names the port, or PGPORT in the environment would."""
        return f"postgres://evalsite@:5432/evalsite?host={quote(str(self.where.sockets), safe='/')}"

    def answers(self) -> bool:
        """Whether the site's role can log in: while it recovers, the server turns every connection away."""
        try:
            psycopg2.connect(
                host=str(self.where.sockets),
                port=5432,
                user="evalsite",
                dbname="evalsite",
                connect_timeout=ANSWER_SECONDS,
            ).close()
        except psycopg2.OperationalError:
            return False
        return True

    def prepare(self, programs: Programs, held: int) -> None:
        """Make the database files beside their place and move them in when they are whole."""
        if self.data.exists():
            major = (self.data / "PG_VERSION").read_text().strip()
            if major != MAJOR:
                raise EmbeddedError(f"{self.data} was made by PostgreSQL {major}, and this is {MAJOR}")
            return
        draft = self.data.with_name("postgres.new")
        if draft.exists():
            shutil.rmtree(draft)  # a start was killed half-way
        make_private(draft, programs.account)
        programs.run(
            programs.postgres / "initdb", "-D", draft, "--username=postgres", "--auth=peer",
            "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            held=(held,),
        )  # fmt: skip
        programs.run(
            programs.postgres / "postgres", "--single", "-D", draft, "-c", "exit_on_error=on", "postgres",
            held=(held,),
            given="CREATE ROLE evalsite LOGIN CREATEDB;\nCREATE DATABASE evalsite OWNER evalsite;\n",
        )  # fmt: skip
        draft.rename(self.data)

    def launch(self, programs: Programs) -> None:
        """Start PostgreSQL with all that matters on its command line, whatever its files say."""
        self._clear_foreign_pid()
        self._write_access_rules(programs)
        options = {
            "port": "5432",
            "listen_addresses": "",
            "unix_socket_directories": self.where.sockets,
            "unix_socket_permissions": "0700",
            "hba_file": self.where.place / "pg_hba.conf",
            "ident_file": self.where.place / "pg_ident.conf",
            "log_checkpoints": "off",
            # The statement of a failed request holds what an evaluator wrote.
            "log_min_error_statement": "panic",
        }
        words = shlex.join(word for name, value in options.items() for word in ("-c", f"{name}={value}"))
        programs.run(
            programs.postgres / "pg_ctl", "start", "--wait", f"--timeout={START_SECONDS}",
            "-D", self.data, "-l", self.log, "-o", words,
        )  # fmt: skip

    def _clear_foreign_pid(self) -> None:
        """Remove a stale pid file whose number some other process has now; PostgreSQL would believe it."""
        for path in (self.data / "postmaster.pid", self.socket.with_name(f"{self.socket.name}.lock")):
            try:
                pid = int(path.read_text().split()[0])
            except (FileNotFoundError, ValueError, IndexError):
                continue
            running = self.process()
            if psutil.pid_exists(pid) and (running is None or running.pid != pid):
                path.unlink(missing_ok=True)

    def _write_access_rules(self, programs: Programs) -> None:
        """Let in whom the kernel names (peer): there is no password to keep, and no other user of the machine."""
        rules = {
            "pg_hba.conf": "local all evalsite peer map=site\n",
            "pg_ident.conf": "".join(
                f'site "{user}" evalsite\n' for user in sorted({"root", programs.account.pw_name})
            ),
        }
        for name, text in rules.items():
            path = self.where.place / name
            path.unlink(missing_ok=True)  # another account's, where root and an owner took turns
            path.write_text(text)
            path.chmod(0o644)  # inside a directory that only we and the account may enter


@dataclass(frozen=True)
class Valkey(Server):
    """Valkey, the broker. A write is on disk within a second; a full memory is an error, never a loss."""

    label = "Valkey"
    name = "valkey"
    program = "valkey-server"

    @property
    def socket(self) -> Path:
        return self.where.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """The address for Celery."""
        return f"redis+socket://{quote(str(self.socket), safe='/')}"

    def answers(self) -> bool:
        """Whether it answers a ping: while it loads its file it says so instead."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(ANSWER_SECONDS)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False

    def launch(self, programs: Programs) -> None:
        """Start Valkey; it makes itself a daemon."""
        programs.run(
            programs.valkey, "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
            "--dir", self.data, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
            "--maxmemory-policy", "noeviction", "--daemonize", "yes", "--logfile", self.log,
        )  # fmt: skip
