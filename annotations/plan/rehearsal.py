"""A rehearsal: a copy of a study, answered by simulated evaluators through the real save path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from annotations.models import (
    ChecklistItem,
    Criterion,
    KnownAnswer,
    Page,
    PageCandidate,
    QualityControl,
    Study,
    StudyMethod,
    Subtask,
)
from annotations.plan.checklist_simulation import SimulatedItem
from annotations.plan.simulation import Effects, SimulatedAnswers, simulated_answers
from annotations.protocols.protocol import AnswerToPage
from annotations.questionnaire.checklists.saving import save_checklist_answer
from annotations.questionnaire.judging import SentJudgement, save_judgement
from annotations.questionnaire.marking.saving import SentMarking, save_marking
from annotations.questionnaire.saving import Answer, PageAddress
from annotations.questionnaire.turns.saving import save_score
from annotations.setup.checklist_items.storing import item_rows
from annotations.setup.error_categories.rows import store_categories, stored_categories
from annotations.setup.lifecycle import close_study
from annotations.setup.quality.declaration import RULES
from annotations.setup.quality.layout import lay_out_checks

Sent = tuple[User, PageAddress, Answer | SentJudgement | SentMarking]
Progress = Callable[[list[Sent]], Iterable[Sent]]


def rehearse(
    study: Study, *, evaluators: int, effects: Effects, seed: int, progress: Progress = lambda saves: saves
) -> Study:
    """Answer a copy of the study with simulated evaluators and return the copy, closed.

    Every answer goes the way of a browser's, one at a time, so what would go wrong with people goes wrong here.
    `progress` may wrap the answers to come, for a progress bar.
    """
    if evaluators < 1:
        raise ValueError(f"evaluators must be at least 1, got {evaluators}")
    copy = copy_study(study, rehearsal_slug(study))
    lay_out_checks(copy)
    answers = simulated_answers(copy, evaluators=evaluators, seed=seed, effects=effects)
    for user, address, answer in progress(list(browser_answers(copy, answers))):
        if isinstance(answer, SentJudgement):
            save_judgement(user, address, answer)
        elif isinstance(answer, SentMarking):
            save_marking(user, address, answer)
        elif study.asks.texts is not None:
            save_checklist_answer(user, address, answer)
        else:
            save_score(user, address, answer)
    close_study(copy)
    return copy


def rehearsal_slug(study: Study) -> str:
    """Return a slug for the next rehearsal of a study."""
    number = 1 + Study.objects.filter(slug__startswith=f"{study.slug}-rehearsal-").count()
    return f"{study.slug}-rehearsal-{number}"


def browser_answers(study: Study, answers: SimulatedAnswers) -> Iterator[Sent]:
    """Yield every answer as the browser of its evaluator would send it, with the tokens of that evaluator."""
    items: dict[tuple[int, int], list[SimulatedItem]] = {}
    for one in answers.items:
        items.setdefault((one.evaluator, one.page), []).append(one)
    for row, enrolment in enumerate(answers.enrolments):
        placed = enrolment.placements.order_by("page", "position").values_list("candidate_id", "token")
        tokens = dict(placed)
        order = list(tokens)
        pages = Page.objects.filter(subtask__study=study).values_list("pk", "subtask__number", "number")
        address = {pk: PageAddress(study.slug, subtask, number) for pk, subtask, number in pages}
        for column, page in enumerate(answers.pages):
            shown = {
                method: tokens[candidate]
                for method, candidate in answers.candidates[column].items()
                if candidate in tokens
            }
            if study.asks.answer is not None:
                on_page = [
                    tokens[candidate]
                    for candidate in order
                    if candidate in answers.candidates[column].values()
                ]
                for sent in sent_judgements(study, study.asks.answer, answers, (row, column), on_page):
                    yield enrolment.evaluator, address[page], sent
                continue
            if study.asks.texts is not None:
                for one in items.get((row, column), ()):
                    sent_item = Answer(shown[one.method], 1, one.item.key, int(one.answer))
                    yield enrolment.evaluator, address[page], sent_item
                continue
            for method, token in shown.items():
                if study.asks.marks_errors:
                    marks = answers.marks[row, column, method]
                    yield enrolment.evaluator, address[page], SentMarking(token, 1, marks, is_done=True)
                points = answers.scores[row, column, method].astype(int).tolist()
                for criterion, score in zip(answers.criteria, points, strict=True):
                    if criterion.derived:
                        continue
                    yield enrolment.evaluator, address[page], Answer(token, 1, criterion.key, score)
                for key, turn, score in answers.turns.get((row, column, method), ()):
                    yield enrolment.evaluator, address[page], Answer(token, 1, f"{key}:{turn}", score)
            if study.has_best_picks:
                yield enrolment.evaluator, address[page], Answer(shown[int(answers.picks[row, column])], 1)


def sent_judgements(
    study: Study, answer: AnswerToPage, answers: SimulatedAnswers, at: tuple[int, int], tokens: list[str]
) -> Iterator[SentJudgement]:
    """Yield what an evaluator says of a page (`at`, as places) on each criterion; `tokens` are those of its texts."""
    for number, criterion in enumerate(answers.criteria):
        judged = answers.judged[(*at, number)]
        places = None if judged.places is None else tuple(tokens[place] for place in judged.places)
        yield SentJudgement(
            tokens[0], criterion.key, 1, number=answer.number_of(study, judged), places=places
        )


def rehearsal_title(study: Study) -> dict[str, str]:
    """Return the title of a study's rehearsal in the languages of its own."""
    titles = {}
    for code, title in study.title.items():
        with override(code):
            titles[code] = _("%(title)s (rehearsal)") % {"title": title}
    return titles


@transaction.atomic
def copy_study(study: Study, slug: str) -> Study:
    """Copy a study with its criteria, methods, sub-tasks and pages, but nobody's enrolment, under a new slug."""
    copy = Study.objects.create(
        slug=slug,
        title=rehearsal_title(study),
        interface_languages=study.interface_languages,
        genre=study.genre,
        text_language=study.text_language,
        normalisation=study.normalisation,
        rendering=study.rendering,
        prompts_per_subtask=study.prompts_per_subtask,
        inconsistency_threshold=study.inconsistency_threshold,
        days_to_rate=study.days_to_rate,
        has_best_picks=study.has_best_picks,
        protocol=study.protocol,
        preference_scale=study.preference_scale,
        candidates_per_page=study.candidates_per_page,
        allows_missing_texts=study.allows_missing_texts,
        reasons=study.reasons,
        has_corrections=study.has_corrections,
    )
    items: dict[int | None, list[ChecklistItem]] = {}
    for item in study.checklist_items.all():
        items.setdefault(item.page_id, []).append(item)
    copied_items = item_rows(copy, None, items.get(None, ()))
    for criterion in Criterion.objects.filter(study=study):
        criterion.pk, criterion.study = None, copy
        criterion._state.adding = True
        criterion.save()
    store_categories(copy, *stored_categories(study))
    methods = {
        one.pk: StudyMethod.objects.create(
            study=copy, method_id=one.method_id, number=one.number, label=one.label
        )
        for one in study.study_methods.all()
    }
    for subtask in study.subtasks.prefetch_related("pages__page_candidates"):
        subtask_copy = Subtask.objects.create(study=copy, number=subtask.number)
        # The launch makes the repeats.
        material = [page for page in subtask.pages.all() if page.role != Page.Role.REPEAT]
        pages = Page.objects.bulk_create(
            Page(
                subtask=subtask_copy,
                number=page.number,
                prompt_id=page.prompt_id,
                notes=page.notes,
                role=page.role,
                explanation=page.explanation,
            )
            for page in material
        )
        PageCandidate.objects.bulk_create(
            PageCandidate(
                page=page_copy,
                candidate_id=shown.candidate_id,
                study_method=methods[shown.study_method_id],
                turns=shown.turns,
            )
            for page, page_copy in zip(material, pages, strict=True)
            for shown in page.page_candidates.all()
        )
        for page, page_copy in zip(material, pages, strict=True):
            copied_items += item_rows(copy, page_copy.pk, items.get(page.pk, ()))
    ChecklistItem.objects.bulk_create(copied_items)
    copy_quality_control(study, copy)
    return copy


def copy_quality_control(study: Study, copy: Study) -> None:
    """Copy the rules and known answers of a study to a copy with the same pages."""
    for control in QualityControl.objects.filter(study=study):
        QualityControl.objects.create(study=copy, **{name: getattr(control, name) for name in RULES})
    criteria = {one.key: one for one in copy.criteria.all()}
    copy_of = dict(PageCandidate.objects.filter(page__subtask__study=copy).values_list("candidate", "pk"))
    answers = KnownAnswer.objects.filter(page_candidate__page__subtask__study=study)
    KnownAnswer.objects.bulk_create(
        KnownAnswer(
            page_candidate_id=copy_of[one.page_candidate.candidate_id],
            criterion=criteria[one.criterion.key] if one.criterion else None,
            lowest=one.lowest,
            highest=one.highest,
        )
        for one in answers.select_related("page_candidate", "criterion")
    )
