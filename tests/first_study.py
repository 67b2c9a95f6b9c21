"""The walk of the tutorial through a running demonstration, by clicks: it times each step and takes its pictures.

    python -m tests.first_study http://127.0.0.1:8000 PASSWORD --language zh-CN --width 360 --pictures docs/images

It sets a study up, plans, launches and closes it, with two evaluators who come by links, and says how long each step
took. PASSWORD is that of the researcher rita, which the demonstration prints.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import shutil
import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

PROMPTS = ("Why is the sky blue?", "How do I boil an egg?", "What is a sonnet?")
# What the tutorial shows.
PICTURES = ("home", "set-up", "preview", "sample-size", "rating", "progress", "results", "payments")
# Long enough that a reader has something to compare.
TEXTS = {
    "model-a": "It depends on what you take for granted, but the short answer is that small things add up.",
    "model-b": "Start with what you can see, then ask what it is made of, and the answer follows by itself.",
}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Walk:
    """One walk in one language and size; `seconds` has what each step took."""

    def __init__(self, browser: Browser, site: str, language: str, width: int, pictures: Path | None) -> None:
        self.browser, self.site, self.language = browser, site.rstrip("/"), language
        self.size = {"width": width, "height": 900 if width > 600 else 740}
        self.pictures = pictures
        self.slug = f"walk-{language[:2]}-{width}-{int(time.time())}"
        self.seconds: dict[str, float] = {}
        self.begun = time.monotonic()
        self.page = self.visitor()

    def visitor(self) -> Page:
        context = self.browser.new_context(viewport=self.size, locale=self.language)  # type: ignore[arg-type]
        # A machine that does much else besides still gets there.
        context.set_default_timeout(90_000)
        return context.new_page()

    def step(self, name: str, page: Page | None = None) -> None:
        """Note that a step is done, look whether its page fits, and take its picture."""
        page = page or self.page
        page.wait_for_load_state()
        now = time.monotonic()
        self.seconds[name] = now - self.begun
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        say(f"{name:<12} {self.seconds[name]:5.1f} s{'  too wide' if wide > 0 else ''}  {page.url}")
        if self.pictures:
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.take(page, name)
        self.begun = time.monotonic()

    def take(self, page: Page, name: str) -> None:
        """Store the picture of a page, if it is one of the tutorial's, with as few colours as it needs."""
        if self.pictures and name in PICTURES:
            picture = Image.open(io.BytesIO(page.screenshot()))
            picture.convert("RGB").quantize(64).save(self.pictures / f"{name}.png", optimize=True)

    def click(self, selector: str, page: Page | None = None) -> None:
        (page or self.page).locator(f"{selector}:visible").first.click()

    def walk(self, password: str) -> None:
        page = self.page
        self.begun = time.monotonic()
        page.goto(f"{self.site}/")
        self.step("home")
        self.click('a[href="/example/"]')
        self.step("report")
        page.go_back()
        self.click('a[href="/manage/studies/new/"]')
        page.fill("[name=username]", "rita")
        page.fill("[name=password]", password)
        self.click("main form button")
        page.wait_for_load_state()
        page.fill("[name^=title_]", "My first study")
        page.fill("[name=slug]", self.slug)
        page.check('[name=rubric][value="qa"]', force=True)
        self.step("new-study")
        self.click("main form.setup-form > button")
        self.step("set-up")
        self.material()
        self.rules()
        self.plan()
        self.launch()
        for number in (1, 2):
            self.evaluate(number, self.invite())
        self.finish()

    def material(self) -> None:
        table = io.StringIO()
        rows = csv.writer(table)
        rows.writerow(["prompt", "method", "text"])
        for prompt in PROMPTS:
            for method, text in TEXTS.items():
                rows.writerow([prompt, method, f"{prompt[:-1]}: {text}"])
        self.click('a[href$="/material/"]')
        self.page.set_input_files(
            "[name=candidates]",
            {"name": "answers.csv", "mimeType": "text/csv", "buffer": table.getvalue().encode()},
        )
        self.click('form[action$="/material/candidates/"] button')
        self.step("columns")
        self.click("form.columns-form > button")
        self.step("material")

    def rules(self) -> None:
        self.page.goto(f"{self.site}/manage/studies/{self.slug}/")
        self.click('a[href$="/settings/"]')
        self.page.fill("[name=payment]", "20")
        self.click("form.setup-form > button")
        self.click('a[href$="/preview/"]')
        self.click('a[href*="/preview/subtasks/1/pages/1/"]')
        self.step("preview")
        self.page.goto(f"{self.site}/manage/studies/{self.slug}/")
        self.click('form[action$="/sign-off/"] button')
        self.step("signed-off")

    def plan(self) -> None:
        self.click('a[href$="/sample-size/"]')
        self.step("sample-size")
        self.click('a[href*="/plan/?"]')
        self.page.check("[name=is_meant]", force=True)
        self.step("plan")
        self.click("form.plan-form > button")
        self.step("locked")

    def launch(self) -> None:
        self.click(f'.tabs a[href="/manage/studies/{self.slug}/"]')
        self.click('a[href$="/launch/"]')
        self.click("main form button.button")
        self.step("launched")

    def invite(self) -> str:
        """Make an invitation by the page of the people, and return its link."""
        self.page.goto(f"{self.site}/manage/studies/{self.slug}/people/")
        form = self.page.locator('form[action$="/people/invitations/"]').first
        if not form.is_visible():
            self.page.locator(".people-forms details").first.locator("summary").click()
        form.locator("[name=name]").fill("Li")
        form.locator("button.button").click()
        self.page.wait_for_load_state()
        found = re.search(r"http[^\s<\"]+/join/[\w-]{22}/", self.page.content())
        assert found, "no link is shown"
        return f"{self.site}{found[0][found[0].index('/join/') :]}"

    def evaluate(self, number: int, link: str) -> None:
        """Rate everything as somebody who came by a link, each text with another score."""
        page = self.visitor()
        page.goto(link)
        self.click("main form button.button", page)
        page.wait_for_load_state()
        self.click("main a.button", page)
        for place in range(len(PROMPTS)):
            page.wait_for_selector(".card")
            for text, card in enumerate(page.locator(".card").all()):
                for question in card.locator(".question").all():
                    question.locator("input[type=radio]").nth(1 + 2 * text + (place + number) % 2).check(
                        force=True
                    )
            page.locator("#best input[type=radio]").last.check(force=True)
            page.wait_for_selector('#state[data-state="saved"]')
            if place == 0 and number == 1:
                self.step("rating", page)
            self.click("#next", page)
            page.wait_for_load_state()
        self.step(f"evaluator-{number}", page)
        page.context.close()

    def finish(self) -> None:
        self.page.goto(f"{self.site}/manage/studies/{self.slug}/")
        self.click(".tabs a[href$='/progress/']")
        self.step("progress")
        self.click(f'.tabs a[href="/manage/studies/{self.slug}/"]')
        self.click('a[href$="/close/"]')
        self.click("main form button.button")
        self.step("results")
        self.click(".tabs a[href$='/payments/']")
        self.step("payments")
        for tick in self.page.locator("form[action$='/payments/approve/'] input[type=checkbox]").all():
            tick.check(force=True)
        self.click('form[action$="/payments/approve/"] button.button')
        self.step("approved")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("site")
    parser.add_argument("password", help="of the researcher rita, as the demonstration printed it")
    parser.add_argument("--language", default="en-GB")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        walk = Walk(browser, options.site, options.language, options.width, options.pictures)
        walk.walk(options.password)
        say(f"{sum(walk.seconds.values()):.0f} s in all")
        browser.close()


if __name__ == "__main__":
    main()
