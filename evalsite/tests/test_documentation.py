"""The documentation is served by the site: every page, its links and pictures, in the reader's language."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import Settings

from evalsite.documentation.pages import DOCS, documentation_page, html_of, page_names
from tests.chinese_pages import english_on

CHINESE = {"accept-language": "zh-hans"}


def page(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200, path
    return response.content.decode()


def test_every_page_in_the_folder_is_in_the_index(client: Client) -> None:
    assert set(page_names()) == {file.stem for file in DOCS.glob("*.md")}
    index = page(client, "/docs/")
    assert all(f'href="/docs/{name}/"' in index for name in page_names())


def test_every_link_of_every_page_leads_to_something_on_the_site(client: Client) -> None:
    pages = {f"/docs/{name}/": page(client, f"/docs/{name}/") for name in page_names()}
    for here, html in pages.items():
        article = html[html.index("<article") : html.index("</article>")]
        for target in re.findall(r'(?:href|src)="([^"]+)"', article):
            path, _mark, place = target.partition("#")
            if path.startswith("/docs/"):
                assert client.get(path).status_code == 200, (here, target)
            else:
                assert not path or path.startswith("http"), (here, target)
            if place:
                assert f'id="{place}"' in pages[path or here], (here, target)


@pytest.mark.parametrize("name", [file.stem for file in (DOCS / "zh-hans").glob("*.md")])
def test_a_page_that_is_written_in_chinese_is_shown_so(client: Client, name: str) -> None:
    html = page(client, f"/docs/{name}/", **CHINESE)
    assert '<article class="documentation" lang="zh-hans">' in html
    assert english_on(html) == []


@pytest.mark.parametrize("name", [file.stem for file in (DOCS / "zh-hans").glob("*.md")])
def test_a_chinese_heading_does_not_swallow_the_line_after_it(name: str) -> None:
    text = (DOCS / "zh-hans" / f"{name}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    shown = documentation_page(name, "zh-hans")
    assert shown and re.findall(r"<h2[^>]*>(.*?)</h2>", shown.html) == headings


def test_a_page_that_is_not_written_in_chinese_says_so_and_is_marked_as_english(client: Client) -> None:
    html = page(client, "/docs/developers/", **CHINESE)
    assert "这一页目前只有英文。" in html
    assert '<article class="documentation" lang="en">' in html


def test_a_page_or_a_picture_that_is_none_is_not_found(client: Client) -> None:
    for path in ("nothing/", "../README/", "nothing.png", "../manage.py", "zh-hans/privacy.md"):
        assert client.get(f"/docs/{path}").status_code == 404


def test_pictures_are_sent(client: Client) -> None:
    response = client.get("/docs/rating-page.png")
    assert response.headers["Content-Type"] == "image/png"
    assert b"".join(response).startswith(b"\x89PNG")


def test_raw_html_and_addresses_that_run_code_stay_words() -> None:
    html = html_of('# A <script>b</script>\n\n[c](javascript:alert(1)) <img src=x onerror="d">', "docs/a.md")
    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html


def test_files_of_the_repository_are_linked_where_the_source_is_known(settings: Settings) -> None:
    assert 'href="/docs/"' in html_of("[a](../fixtures/README.md)", "docs/files.md")
    settings.SOURCE_URL = "https://git.example.org/evalsite"
    linked = html_of("[a](../fixtures/README.md)", "docs/files.md")
    assert 'href="https://git.example.org/evalsite/blob/main/fixtures/README.md"' in linked


def test_every_foot_leads_to_documentation_privacy_licence_and_source(
    client: Client, settings: Settings
) -> None:
    settings.SOURCE_URL = "https://git.example.org/evalsite"
    foot = page(client, "/").split("<footer")[1]
    for target in ("/docs/", "/docs/privacy/", "/docs/licence/", settings.SOURCE_URL):
        assert f'href="{target}"' in foot
    assert f"evalsite {settings.VERSION}" in foot
    assert "Apache License" in page(client, "/docs/licence/")


def test_headings_are_anchors() -> None:
    found = documentation_page("files", "en")
    assert found is not None
    assert re.search(r'<h2 id="[\w-]+">', found.html)
