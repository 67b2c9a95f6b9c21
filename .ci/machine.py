"""What runs for the walk in deployment.py: servers, proxy, web processes and workers, and a client that finds them."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
HOST = "rate.example.org"
PASSWORD = secrets.token_urlsafe(12)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


class Machine:
    """What runs: each program in a process group of its own, with a log; all of them end with this one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.database, self.broker, self.plain, self.tls, *self.web = free_ports(6)
        self.environment: dict[str, str] = {}

    def start(self, label: str, *command: str | Path, user: str | None = None) -> None:
        with (self.directory / f"{label}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT if user is None else "/", env=self.environment, process_group=0,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user, group=user,
                extra_groups=[] if user else None,
            )  # fmt: skip
        self.running.append((label, process))

    def stop(self, *labels: str, number: int = signal.SIGTERM) -> None:
        """End the programs named, or all, the last one first."""
        for label, process in reversed(self.running[:]):
            if labels and label not in labels:
                continue
            process.send_signal(signal.SIGINT if label == "postgres" else number)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self.running.remove((label, process))

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [BIN / "python", "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"manage.py {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def logs(self) -> str:
        return "\n".join(
            f"== {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-25:])
            for log in sorted(self.directory.glob("*.log"))
        )


def servers(machine: Machine) -> None:
    """Start PostgreSQL and Redis, each under its own account."""
    (programs,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    data = machine.directory / "postgres"
    password = machine.directory / "password"
    password.write_text(PASSWORD)
    data.mkdir(mode=0o700)
    for path in (data, password):
        shutil.chown(path, "postgres", "postgres")
    machine.environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [programs / "initdb", "-D", data, "--username=evalsite", "--auth=scram-sha-256", f"--pwfile={password}"],
        check=True, capture_output=True, cwd="/", env=machine.environment,
        user="postgres", group="postgres", extra_groups=[],
    )  # fmt: skip
    words = ["listen_addresses=127.0.0.1", f"port={machine.database}", f"unix_socket_directories={data}"]
    machine.start(
        "postgres",
        programs / "postgres",
        "-D",
        data,
        *(x for word in words for x in ("-c", word)),
        user="postgres",
    )
    broker = machine.directory / "redis"
    broker.mkdir()
    shutil.chown(broker, "redis", "redis")
    machine.start(
        "redis", "/usr/bin/redis-server", "--bind", "127.0.0.1", "--port", str(machine.broker), "--dir", broker,
        "--save", "", "--maxmemory-policy", "noeviction", user="redis",
    )  # fmt: skip
    for port in (machine.database, machine.broker):
        wait_for_port(port)


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"nothing answers on port {port}")


def settings(machine: Machine, path: str) -> None:
    """Set what the table of docs/administrators.md asks of a public site."""
    machine.environment |= {
        "EVALSITE_ENV": "production",
        "EVALSITE_HOME": str(machine.directory / "home"),
        "DATABASE_URL": f"postgres://evalsite:{PASSWORD}@127.0.0.1:{machine.database}/postgres",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{machine.broker}/0",
        "SECRET_KEY": machine.environment.get("SECRET_KEY") or secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": HOST,
        "SITE_URL": f"https://{HOST}:{machine.tls}",
        "TRUSTED_PROXIES": "1",
    }
    if path:
        machine.environment["SCRIPT_NAME"] = path


def proxy(machine: Machine, path: str) -> None:
    """Start nginx with the block of the page, in which only ports, files and the path differ."""
    page = (ROOT / "docs" / "administrators.md").read_text()
    (block,) = re.findall(r"^```nginx\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    changes = {
        "127.0.0.1:8001": f"127.0.0.1:{machine.web[0]}",
        "127.0.0.1:8002": f"127.0.0.1:{machine.web[1]}",
        "listen 80;": f"listen 127.0.0.1:{machine.plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{machine.tls} ssl;",
        f"/etc/ssl/{HOST}": str(machine.directory / HOST),
        "location / {": f"location {path}/ {{",
    }
    for old, new in changes.items():
        assert old in block, f"docs/administrators.md: no {old!r} in the block for nginx"
        block = block.replace(old, new)
    configuration = machine.directory / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {machine.directory}/nginx-{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration.write_text(
        f"user www-data;\npid {machine.directory}/nginx.pid;\nerror_log {machine.directory}/nginx.log;\n"
        f"daemon off;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{block}}}\n"
    )
    machine.start("nginx", "/usr/sbin/nginx", "-c", configuration)
    wait_for_port(machine.tls)


def site(machine: Machine) -> None:
    """Start web processes, workers and beat by the page's command lines."""
    for number, port in enumerate(machine.web):
        machine.start(
            f"web{number}", BIN / "gunicorn", "evalsite.wsgi", "--worker-class", "gthread", "--threads", "8",
            "--bind", f"127.0.0.1:{port}", "--no-control-socket",
        )  # fmt: skip
    for name in ("first", "second"):
        machine.start(f"worker-{name}", BIN / "celery", "-A", "evalsite", "worker", f"--hostname={name}@%h")
    machine.start("beat", BIN / "celery", "-A", "evalsite", "beat")


class Client(requests.Session):
    """A client that finds the host on this machine, from an address of its own."""

    def __init__(self, machine: Machine, address: str = "127.0.0.1") -> None:
        super().__init__()
        self.trust_env = False  # neither a proxy nor other certificates
        self.verify = str(machine.directory / f"{HOST}.pem")
        adapter = Loopback(address)
        self.mount("https://", adapter)
        self.mount("http://", adapter)


class Loopback(requests.adapters.HTTPAdapter):
    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)  # type: ignore[arg-type]


def wait_until_ready(machine: Machine, site: str) -> None:
    deadline = time.monotonic() + 150
    answer = "nothing"
    while time.monotonic() < deadline:
        for label, process in machine.running:
            assert process.poll() is None, f"{label} has ended"
        answered = Client(machine).get(f"{site}/readyz", timeout=20)
        if answered.status_code == 200:
            return
        answer = answered.text[:300]
        time.sleep(1)
    raise AssertionError(f"not ready: {answer}")
