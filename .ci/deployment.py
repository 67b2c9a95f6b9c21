"""Set the site up as docs/administrators.md says, and use it: nginx with TLS, two web processes, two workers and beat.

Everything lies in a temporary directory and on ports of its own; the checkout gets `staticfiles/`, which is removed
again where it was not there before.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
HOST = "rate.example.org"
PASSWORD = secrets.token_urlsafe(12)
STUDY = "tang-poets"
WRITE_MILLISECONDS = 180_000


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


def check_proxy(machine: Machine, site: str, path: str) -> None:
    """Plain HTTP leads to HTTPS; static files come compressed, for ever, from below the path."""
    plain = Client(machine).get(f"http://{HOST}:{machine.plain}{path}/", allow_redirects=False)
    assert (plain.status_code, plain.headers["Location"]) == (301, f"https://{HOST}{path}/")
    home = Client(machine).get(f"{site}/")
    assert home.status_code == 200, home.status_code
    assert "max-age=31536000" in home.headers["Strict-Transport-Security"]
    addresses = re.findall(r'(?:href|src)="(/[^"]*)"', home.text)
    assert addresses and all(address.startswith(f"{path}/") for address in addresses), addresses
    static = [address for address in addresses if "/static/" in address]
    assert static, "no static files in the page"
    for address in static:
        answer = Client(machine).get(f"https://{HOST}:{machine.tls}{address}")
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"], address


def log_in(page: Page, site: str, username: str, password: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Password").press("Enter")
    page.wait_for_url(f"{site}/studies/")


def rate(page: Page, site: str) -> None:
    """Rate a page with the keyboard; the next visit finds the answers."""
    page.goto(f"{site}/studies/{STUDY}/")
    page.get_by_role("link", name=re.compile("^(Start|Begin|Continue)")).first.click()
    page.wait_for_url(re.compile(r"/pages/\d+/$"))
    rows = page.locator("#answers [role=radiogroup], #answers fieldset")
    expect(rows.first).to_be_visible()
    page.locator("#answers input[type=radio]").first.check(force=True)
    expect(page.locator("#state")).to_have_text(re.compile(r"^saved \d\d:\d\d$"))
    page.reload()
    expect(page.locator("#answers input[type=radio]").first).to_be_checked()


def play(page: Page, site: str) -> None:
    page.goto(f"{site}/turing/")
    page.get_by_role("button", name="Play").first.click()
    expect(page.locator(".pick")).to_have_count(2)
    page.locator(".pick").first.click()
    expect(page.locator(".truth")).to_have_count(2)


def compose(page: Page, site: str) -> None:
    page.goto(f"{site}/compose/poem/")
    page.locator("#id_title").fill("登鹳雀楼")
    page.get_by_role("button", name="Write the poem").click()
    page.wait_for_url(re.compile(r"/compose/[-0-9a-f]{36}/$"))
    expect(page.locator("#state")).to_have_text("Written.", timeout=WRITE_MILLISECONDS)


def report(page: Page, site: str) -> None:
    """Read what a closed study has found, on the page and as a file."""
    page.goto(f"{site}/studies/{STUDY}/results/")
    expect(page.locator("main h1, main h2").first).to_be_visible()
    file = f"{site}/studies/{STUDY}/results.json"
    status, text = page.evaluate(
        "file => fetch(file).then(async got => [got.status, await got.text()])", file
    )
    assert status == 200, status
    assert json.loads(text)


def invitation(machine: Machine, page: Page, site: str) -> None:
    """The link that a command prints leads to the site, wherever it lies."""
    said = machine.manage("invite", "everyday-questions", "--links", "1")
    (link,) = re.findall(r"https://\S+", said)
    assert link.startswith(f"{site}/join/"), link
    answer = page.goto(link)
    assert answer is not None and answer.status == 200, answer


def addresses(machine: Machine, site: str) -> None:
    """Six wrong passwords lock a name for one client: forged headers do not help it, and nobody else is locked."""

    def attempt(client: Client, forged: str = "") -> int:
        page = client.get(f"{site}/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.status_code
        data = {"username": "mallory", "password": "wrong", "csrfmiddlewaretoken": token[1]}
        headers = {"Referer": f"{site}/accounts/login/", **({"X-Forwarded-For": forged} if forged else {})}
        return client.post(f"{site}/accounts/login/", data=data, headers=headers).status_code

    attacker = Client(machine, "127.0.0.5")
    said = [attempt(attacker, f"203.0.113.{number}") for number in range(8)]
    assert said[0] == 200 and said[-1] in (403, 429), said
    assert attempt(Client(machine, "127.0.0.6")) == 200, "a client at another address is locked out too"
    assert attempt(Client(machine, "127.0.0.6"), "127.0.0.5") == 200, "a forged header stood for an address"


def walk(machine: Machine, browser: Browser, site: str, path: str, accounts: dict[str, str]) -> None:
    steps: dict[str, Callable[[Page], None]] = {
        "proxy": lambda page: check_proxy(machine, site, path),
        "addresses": lambda page: addresses(machine, site),
        "log-in": lambda page: log_in(page, site, "alice", accounts["alice"]),
        "rating": lambda page: rate(page, site),
        "game": lambda page: play(browser.new_page(ignore_https_errors=True), site),
        "composing": lambda page: compose(page, site),
        "invitation": lambda page: invitation(machine, browser.new_page(ignore_https_errors=True), site),
    }
    page = browser.new_page(ignore_https_errors=True)
    for name, step in steps.items():
        if name == "rating" and path:
            continue  # the study is closed by then; its report is read below
        if name == "addresses" and path:
            continue  # the same proxy
        tell(name, lambda step=step: step(page))
    if not path:
        machine.manage("close_study", STUDY)
    staff = browser.new_page(ignore_https_errors=True)

    def read() -> None:
        log_in(staff, site, "carol", accounts["carol"])
        report(staff, site)

    tell("report", read)
    for label, process in machine.running:
        assert process.poll() is None, f"{label} has ended"


def tell(name: str, action: Callable[[], object]) -> None:
    begun = time.monotonic()
    action()
    print(f"  {name}: {time.monotonic() - begun:.1f} s", flush=True)


def main() -> None:
    directory = Path(tempfile.mkdtemp(prefix="evalsite-deployment-"))
    directory.chmod(0o755)
    had_static = (ROOT / "staticfiles").exists()
    machine = Machine(directory)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    try:
        tell("servers", lambda: servers(machine))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
             "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", directory / f"{HOST}.key",
             "-out", directory / f"{HOST}.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        resolve = socket.getaddrinfo
        socket.getaddrinfo = lambda host, *rest, **options: resolve(  # type: ignore[assignment]
            "127.0.0.1" if host == HOST else host, *rest, **options
        )
        settings(machine, "")
        tell(
            "migrate, collectstatic",
            lambda: (machine.manage("migrate"), machine.manage("collectstatic", "--no-input")),
        )
        loaded = machine.manage(
            "shell", "--verbosity=0", "-c",
            "from annotations.imports.demo import load_demo\n"
            "for role, name, password in load_demo(): print('ACCOUNT', name, password)",
        )  # fmt: skip
        accounts = dict(re.findall(r"^ACCOUNT (\S+) (\S+)$", loaded, re.MULTILINE))
        machine.manage("import_pairs", "fixtures/turing-pairs.jsonl")
        with sync_playwright() as player:
            browser = player.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=[f"--host-resolver-rules=MAP {HOST} 127.0.0.1", "--no-sandbox", "--no-proxy-server"],
            )
            for path in ("", "/evaluation"):
                print(f"the site at https://{HOST}{path}/", flush=True)
                settings(machine, path)
                site(machine)
                proxy(machine, path)
                address = f"https://{HOST}:{machine.tls}{path}"
                tell("ready", lambda address=address: wait_until_ready(machine, address))
                walk(machine, browser, address, path, accounts)
                tell("stop", lambda: machine.stop(*(
                    label for label, _ in machine.running if label not in ("postgres", "redis")
                )))  # fmt: skip
        print("the deployment of docs/administrators.md works")
    except BaseException:
        print(machine.logs())
        raise
    finally:
        machine.stop()
        shutil.rmtree(directory, ignore_errors=True)
        if not had_static:
            shutil.rmtree(ROOT / "staticfiles", ignore_errors=True)


if __name__ == "__main__":
    main()
