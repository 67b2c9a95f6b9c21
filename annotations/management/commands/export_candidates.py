"""Write the candidates of a study as a file that can be imported again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import PageCandidate, Study
from generation.files.candidates import method_key, shuffled
from generation.files.prompt_fields import prompt_fields
from generation.files.provenance import provenance_fields
from generation.methods import LABELS
from generation.models import Method

RUNNERS_UP = 3


class Command(StudyCommand):
    help = (
        "Write the candidates of a study with their methods as JSON Lines, in the format of import_study. Texts of our"
        f" own workers have their provenance, with the {RUNNERS_UP} texts that came closest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--output", type=Path, required=True)

    def act(self, study: Study, options: dict[str, Any]) -> None:
        shown = (
            PageCandidate.objects.but_repeats(study)
            .select_related("candidate__provenance", "page__prompt", "study_method__method")
            .order_by("page__subtask__number", "page__number")
        )
        pages: dict[int, list[int]] = {}
        for one in shown:
            of_prompt = pages.setdefault(one.page.prompt_id, [])
            if one.page_id not in of_prompt:
                of_prompt.append(one.page_id)
        rows = (candidate_row(one, 1 + pages[one.page.prompt_id].index(one.page_id)) for one in shown)
        with options["output"].open("w", encoding="utf-8") as file:
            for row in shuffled(rows):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.stdout.write(f"{len(shown):,} candidates written to {options['output']}")


def method_name(method: Method) -> str:
    """Return what makes this method of it again when it is imported: its label where its key is derived from that."""
    return method.label if method.key not in LABELS and method_key(method.label) == method.key else method.key


def candidate_row(shown: PageCandidate, sample: int = 1) -> dict[str, Any]:
    """Return the row of a candidate, with its notes and its provenance where it has any."""
    row: dict[str, Any] = {
        **prompt_fields(shown.page.prompt.content),
        "method": method_name(shown.study_method.method),
        "text": shown.candidate.text,
    }
    if shown.candidate.notes:
        row["notes"] = shown.candidate.notes
    if sample > 1:
        row["sample"] = sample
    if hasattr(shown.candidate, "provenance"):
        row["provenance"] = provenance_fields(shown.candidate.provenance, runners_up=RUNNERS_UP)
    return row
