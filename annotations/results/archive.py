"""The archive of a study: its answers, plan, material and results, and the command that makes the results again."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from annotations.models import PageCandidate, Study
from annotations.plan.facts import plan_facts
from annotations.plan.plan import locked_plan
from annotations.questionnaire.written.fields import has_written
from annotations.results.answer_rows import rating_chunks
from annotations.results.checklists.facts import page_name
from annotations.results.checklists.rows import checklist_chunks
from annotations.results.checklists.scores import items_in_order
from annotations.results.judgements.rows import judgement_chunks
from annotations.results.rating_table import page_prompts, page_seconds, valid_table
from annotations.results.report import analysis_recipe, samples, study_report
from annotations.results.report_formats import export
from annotations.results.seal import refuse_sealed
from annotations.results.spans.rows import span_chunks
from annotations.results.turns.facts import turn_scores
from annotations.results.turns.rows import turn_chunks
from annotations.results.turns.scores import mean_key, turn_criteria
from annotations.results.written.rows import written_chunks
from generation.files.prompt_fields import prompt_fields
from stats.reports.archive import RESULTS, archive_files

README = """\
# {title}

The answers, plan, material and results of the study `{slug}`, by pseudonyms, made by evalsite {version}.

- `answers.jsonl`: every rating and best pick of everybody, one a line
- `judgements.jsonl`: where pages were judged as a whole, what everybody answered, a line for each text
- `checklist.jsonl`: where a checklist was asked, what everybody answered, a line for each item and text
- `written.jsonl`: where reasons or corrected texts could be written, those that were, one a line
- `spans.jsonl`: where errors were marked, every mark of everybody, as offsets and as tags
- `turns.jsonl`: where turns of dialogues were rated, every such rating of everybody
- `turns.csv`: those of the evaluators who count
- `ratings.csv`, `picks.csv`, `seconds.csv`: those of the evaluators who count, as they were analysed
- `design.json`: the names in their order, the scales, and what the analysis was told
- `plan.json`: the plan that was locked before the first answer, where there is one
- `material.jsonl`: the prompts and the texts of all methods
- `results.json`: the report

To make the numbers again, with evalsite {version} and numpy {numpy}, scipy {scipy}:

    python -m stats.reports.archive {slug}.zip
"""
# The time stamp of the files: the same study gives the same archive.
STAMP = (1980, 1, 1, 0, 0, 0)


def study_archive(study: Study) -> bytes:
    """Return the archive of a study as a ZIP; raise `Sealed` while its numbers are."""
    refuse_sealed(study)
    table = valid_table(study)
    locked = locked_plan(study)
    plan = plan_facts(locked) if locked else None
    report = study_report(study)
    files = {RESULTS: export(report, "json"), "answers.jsonl": b"".join(rating_chunks(study, "jsonl"))}
    if study.asks.answer is not None:
        files["judgements.jsonl"] = b"".join(judgement_chunks(study, "jsonl"))
    if study.asks.marks_errors:
        files["spans.jsonl"] = b"".join(span_chunks(study, "jsonl"))
    if of_turns := turn_criteria(study, list(study.criteria.all())):
        files["turns.jsonl"] = b"".join(turn_chunks(study, "jsonl"))
    if study.asks.texts is not None:
        files["checklist.jsonl"] = b"".join(checklist_chunks(study, "jsonl"))
    if has_written(study):
        files["written.jsonl"] = b"".join(written_chunks(study, "jsonl"))
    if table.evaluators and table.criteria:
        recipe = analysis_recipe(study, table, plan, None, samples(table, page_prompts(study)))
        files |= archive_files(
            table,
            recipe,
            page_seconds(study, table),
            turns=turn_scores(study, table) if report.turns is not None else None,
            turn_criteria=[(one.key, mean_key(one)) for one in of_turns],
        )
    if plan is not None:
        files["plan.json"] = (json.dumps(plan.document, ensure_ascii=False, indent=2) + "\n").encode()
    files["material.jsonl"] = material(study)
    files["README.md"] = README.format(
        title=report.study.title,
        slug=study.slug,
        version=report.software.evalsite,
        numpy=report.software.numpy,
        scipy=report.software.scipy,
    ).encode()
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, STAMP), body, zipfile.ZIP_DEFLATED)
    return output.getvalue()


def material(study: Study) -> bytes:
    """Return the prompts and texts of a study as JSON Lines, by page and method."""
    prompts = page_prompts(study)
    shown = (
        PageCandidate.objects.counted(study)
        .order_by("page__subtask__number", "page__number", "study_method__number")
        .values_list("page__subtask__number", "page__number", "study_method__method__key", "candidate__text")
    )
    checklists: dict[str, list[dict[str, Any]]] = {}
    for item in items_in_order(study):
        if (page_of_item := page_name(item)) is not None:
            said = {"text": dict(item.text), "weight": item.weight, "may_not_apply": item.may_not_apply}
            checklists.setdefault(page_of_item, []).append(said)
    lines = [
        json.dumps(
            {
                "page": (page_of := f"{subtask}/{page}"),
                **({"checklist": checklists[page_of]} if page_of in checklists else {}),
                **prompt_fields(prompts[f"{subtask}/{page}"].content),
                "method": method,
                "text": text,
            },
            ensure_ascii=False,
        )
        for subtask, page, method, text in shown
    ]
    return "".join(f"{line}\n" for line in lines).encode()
