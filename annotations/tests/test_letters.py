"""Letters: what stands in them, word by word, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from annotations.models import Study
from annotations.recruiting.mail import write_letter

INVITATION = """\
Dear Dora & Co,

you are invited to take part in “Poems <new>”. This is your personal link; do not pass it on. With it you begin, and \
come back later on any device:

https://rate.example.org/join/x/

It is good for 14 days; once you have begun you have 7 days to answer.

Questions: carol@example.org

---

Dora & Co，您好：

诚邀您参加“Poems <new>”。下面是您本人的链接，请勿转给别人。用它开始，也用它在任何设备上继续：

https://rate.example.org/join/x/

链接 14 天内有效；开始之后您有 7 天时间作答。

如有问题，请联系：carol@example.org
"""
REMINDER = """\
您正在参加“诗歌”，还差 18 个回答，可以在 2021年8月14日 12:00（UTC）之前完成。从上次停下的地方继续：

https://rate.example.org/studies/poems/

如果不想再参加，不必做任何事；如果希望删除您的回答，请在评测页面上撤回参与。

---

You take part in “诗歌”. 18 answers are still missing; you can give them until Aug. 14, 2021, noon (UTC). Go on where \
you stopped:

https://rate.example.org/studies/poems/

If you no longer wish to take part, you need do nothing; to have your answers removed, withdraw on the study's page.
"""


def test_an_invitation_is_in_both_languages_with_nothing_escaped() -> None:
    context: dict[str, Any] = {
        "name": "Dora & Co",
        "address": "https://rate.example.org/join/x/",
        "days": 14,
        "rate": 7,
        "contact": "carol@example.org",
    }
    letter = write_letter("invitation", "dora@example.org", Study(title={"en": "Poems <new>"}), context)
    assert (letter.to, letter.subject) == ("dora@example.org", "Invitation: Poems <new>")
    assert letter.body == INVITATION


def test_a_study_with_a_chinese_title_alone_writes_chinese_first() -> None:
    context = {
        "missing": 18,
        "deadline": datetime(2021, 8, 14, 12, tzinfo=UTC),
        "address": "https://rate.example.org/studies/poems/",
    }
    letter = write_letter("reminder", "dora@example.org", Study(title={"zh-hans": "诗歌"}), context)
    assert letter.subject == "提醒：《诗歌》"
    assert letter.body == REMINDER


@pytest.mark.parametrize("name", ["", "Dora"])
def test_a_line_break_in_a_title_moves_nothing_into_the_letter(name: str) -> None:
    context = {"name": name, "address": "https://x.example.org/", "days": 1, "rate": 1, "contact": ""}
    letter = write_letter(
        "invitation", "d@example.org", Study(title={"en": "Poems\nBcc: x@example.org"}), context
    )
    assert letter.subject == "Invitation: Poems Bcc: x@example.org"
    assert letter.body.startswith("Dear Dora," if name else "Hello,")
