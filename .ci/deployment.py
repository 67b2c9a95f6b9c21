"""Set the site up as docs/administrators.md says, and use it: nginx with TLS, two web processes, two workers and beat.

Everything lies in a temporary directory and on ports of its own; the checkout gets `staticfiles/`, which is removed
again where it was not there before.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from machine import HOST, ROOT, Client, Machine, proxy, servers, settings, site, wait_until_ready
from playwright.sync_api import Browser, Page, expect, sync_playwright

STUDY = "tang-poets"
WRITE_MILLISECONDS = 180_000


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
        tell(name, partial(step, page))
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
        socket.getaddrinfo = lambda host, *rest, **options: resolve(
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
                tell("ready", partial(wait_until_ready, machine, address))
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
