from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from annotations.imports.studies import import_study
from annotations.models import Criterion, Page, PageCandidate, Study, StudyMethod, Subtask
from annotations.setup.rubrics import load_rubric
from annotations.tests.cast import build_study
from generation.files.candidates import read_candidates
from generation.models import Candidate, GenerationRun, Method, Prompt
from generation.refusals import Refused

METHODS = ["human", "inverse_prompting", "mine"]


def content(prompts: int = 12) -> str:
    """Return a file of three methods; the texts have other spaces and marks."""
    lines = ["prompt,description,method,text"]
    for number in range(prompts):
        lines += [
            f'题{number},,human,"山中{number}夜雨,\r\n树杪百重泉."',
            f"题{number},,inverse_prompting,江上{number}峰青，人归落雁前。",
            f"题{number},,mine,孤舟{number}远水，　寒灯照客眠。",
        ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "candidates.csv"
    path.write_text(content(), encoding="utf-8", newline="")
    return path


def run(file: Path, *options: str, slug: str = "mine", rubric: str = "poem") -> str:
    output = io.StringIO()
    call_command("import_study", str(file), "--slug", slug, "--rubric", rubric, *options, stdout=output)
    return output.getvalue()


def everything() -> dict[str, int]:
    tables: list[type[models.Model]] = [
        Study, Criterion, Subtask, Page, PageCandidate, StudyMethod, Prompt, Method, GenerationRun, Candidate,
    ]  # fmt: skip
    return {table.__name__: table._default_manager.count() for table in tables}


def test_a_file_becomes_a_study_in_its_order(db: None, file: Path) -> None:
    run(file)
    study = Study.objects.get(slug="mine")
    pages = Page.objects.filter(subtask__study=study)
    assert [page.prompt.text for page in pages.select_related("prompt")] == [f"题{n}" for n in range(12)]
    assert list(pages.values_list("subtask__number", "number"))[9:] == [(1, 10), (2, 1), (2, 2)]
    assert list(study.study_methods.values_list("method__key", "number")) == list(
        zip(METHODS, range(3), strict=True)
    )
    assert [criterion.key for criterion in study.criteria.all()][-1] == "overall"
    assert study.text_language == "zh"
    assert study.state == "open"
    assert study.instructions["zh-hans"]


def test_each_candidate_stands_on_its_page_by_its_method(db: None, file: Path) -> None:
    run(file)
    shown = PageCandidate.objects.filter(page__number=3, page__subtask__number=1)
    rule = Study.objects.get(slug="mine").shown
    texts = {one.study_method.method.key: rule(one.candidate.text) for one in shown}
    assert texts == {
        "human": "山中2夜雨，树杪百重泉。",
        "inverse_prompting": "江上2峰青，人归落雁前。",
        "mine": "孤舟2远水，寒灯照客眠。",
    }


def test_the_run_of_each_method_tells_its_source(db: None, file: Path) -> None:
    run(file)
    for generation_run in GenerationRun.objects.all():
        assert generation_run.state == "done"
        assert generation_run.source["import"] == "candidates.csv"
        assert len(generation_run.source["sha256"]) == 64
        assert generation_run.source["normaliser"] == 1
    assert GenerationRun.objects.count() == 3


def test_known_methods_have_readable_labels(db: None, file: Path) -> None:
    run(file)
    assert dict(Method.objects.values_list("key", "label")) == {
        "human": "Human",
        "inverse_prompting": "Inverse prompting",
        "mine": "mine",
    }


def test_the_command_tells_what_it_did_and_what_is_next(db: None, file: Path) -> None:
    told = run(file, "--title", "My study", "--title-zh", "我的研究")
    assert "12 prompts by 3 methods (human, inverse_prompting, mine), 36 candidates, 2 sub-tasks" in told
    assert "manage.py enrol mine USERNAME" in told
    assert Study.objects.get().title == {"en": "My study", "zh-hans": "我的研究"}


def test_twice_changes_nothing(db: None, file: Path) -> None:
    run(file)
    before = everything()
    assert "already imported from the same file" in run(file)
    assert "already imported" in run(file.rename(file.with_name("renamed.csv")))
    assert everything() == before


def test_another_file_under_a_taken_slug_is_refused(db: None, file: Path) -> None:
    run(file)
    before = everything()
    file.write_text(content(11), encoding="utf-8")
    with pytest.raises(CommandError, match="there is a study mine already, made of something else"):
        run(file)
    assert everything() == before


def test_the_same_file_by_another_rubric_is_refused(db: None, file: Path) -> None:
    run(file)
    with pytest.raises(CommandError, match="other criteria"):
        run(file, rubric="qa")


def test_a_study_that_was_not_imported_keeps_its_slug(db: None, file: Path) -> None:
    build_study(slug="mine")
    with pytest.raises(CommandError, match="there is a study mine already"):
        run(file)


def test_a_second_study_of_the_same_texts_shares_prompts_and_methods(db: None, file: Path) -> None:
    run(file)
    run(file, slug="again")
    assert Study.objects.count() == 2
    assert Prompt.objects.count() == 12
    assert Method.objects.count() == 3
    assert GenerationRun.objects.count() == 6


def test_a_slug_taken_meanwhile_is_noticed(db: None, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other import commits between the look-up of the slug and the saving of the study."""
    rubric = load_rubric("poem")
    parsed = read_candidates(file, "poem")
    study, is_new = import_study(parsed, slug="mine", rubric=rubric)
    assert is_new
    found = iter([None, study])
    monkeypatch.setattr("annotations.imports.studies._imported_before", lambda *_: next(found))
    assert import_study(parsed, slug="mine", rubric=rubric) == (study, False)


def test_nothing_is_written_for_a_file_with_an_error(db: None, file: Path) -> None:
    before = everything()
    file.write_text(content() + "题12,,human,\n题0,,mine,又一首\n", encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        run(file)
    assert str(refused.value).splitlines() == [
        "Nothing was imported.",
        "candidates.csv, line 50, text: is empty",
        "candidates.csv, line 50, method: prompt '题12' has no text by Inverse prompting"
        " (2 of this kind: lines 50, 50)",
        "candidates.csv, line 51, method: mine has a text for this prompt in line 5 already",
    ]
    assert everything() == before


def test_nothing_is_left_of_an_import_that_fails_half_way(
    db: None, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything()
    monkeypatch.setattr("annotations.imports.studies.place_candidates", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(file)
    assert everything() == before


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"slug": "a b"}, "slug: Enter a valid"),
        ({"slug": "s" * 81}, "slug: Give at most 80"),
        ({"rubric": "none.json"}, "none.json: cannot be read"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(
    db: None, file: Path, options: dict[str, str], problem: str
) -> None:
    with pytest.raises(CommandError, match=problem):
        run(file, **options)


def test_a_title_that_is_too_long_is_refused(db: None, file: Path) -> None:
    with pytest.raises(CommandError, match=r"title\.en: Give at most 200"):
        run(file, "--title", "t" * 201)


def test_a_rubric_of_ones_own_sets_genre_and_criteria(db: None, tmp_path: Path) -> None:
    rubric = {
        "genre": "qa",
        "criteria": [{"key": "wit", "label_en": "Wit", "maximum": 7, "is_overall": True}],
    }
    (tmp_path / "wit.json").write_text(json.dumps(rubric), encoding="utf-8")
    (tmp_path / "answers.jsonl").write_text(
        '{"prompt": "Why?", "description": "Tell me.", "method": "human", "text": "Because it is."}\n'
        '{"prompt": "Why?", "description": "Tell me.", "method": "cpm", "text": "Why not，I said。"}\n',
        encoding="utf-8",
    )
    run(tmp_path / "answers.jsonl", slug="wit", rubric=str(tmp_path / "wit.json"))
    study = Study.objects.get(slug="wit")
    assert study.text_language == "en"
    assert [(one.key, one.minimum, one.maximum, one.is_overall) for one in study.criteria.all()] == [
        ("wit", 1, 7, True)
    ]
    assert Prompt.objects.values_list("genre", "text", "description").get() == ("qa", "Why?", "Tell me.")
    assert Candidate.objects.filter(text="Why not，I said。").exists()


def test_import_study_says_whose_slug_it_is(db: None, file: Path) -> None:
    rubric = load_rubric("poem")
    import_study(read_candidates(file, "poem"), slug="mine", rubric=rubric)
    file.write_text(content(3), encoding="utf-8")
    with pytest.raises(Refused):
        import_study(read_candidates(file, "poem"), slug="mine", rubric=rubric)


def test_the_number_of_queries_does_not_grow_with_the_file(db: None, file: Path) -> None:
    # Both have so many rows that all tables are filled by COPY.
    file.write_text(content(60), encoding="utf-8")
    with CaptureQueriesContext(connection) as few:
        run(file)
    file.write_text(content(180), encoding="utf-8")
    with CaptureQueriesContext(connection) as many:
        run(file, slug="many")
    assert len(many) == len(few)
