"""Why people preferred what they did, in their own words: their reasons, and their answers to a checklist."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db.models import F

from annotations.models import ChecklistAnswer, PageCandidate, Study, WrittenAnswer
from annotations.questionnaire.written.fields import has_written
from annotations.results.checklists.rows import WORDS
from annotations.results.written.rows import latest_written

# By the page's name and the method's key, None for the whole page: who said what.
Said = dict[tuple[str, str | None], list[tuple[str, str]]]


@dataclass(frozen=True)
class Rationales:
    """What evaluators wrote and answered; answers by the text of their item."""

    reasons: Said = field(default_factory=lambda: defaultdict(list))
    answers: dict[tuple[str, str], dict[str, list[tuple[str, str]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def of(self, page: str, texts: Mapping[str, str], evaluator: str | None) -> str | None:
        """Return the lines about the texts of a page (methods by what each is called), of one evaluator or of all.

        Answers of all are counted: `chosen: It rhymes. yes 3, no 1`. None where nobody said anything.
        """
        lines = []
        for name, method in texts.items():
            for item, said in self.answers.get((page, method), {}).items():
                own = [word for by, word in said if evaluator in (None, by)]
                counted = Counter(own).most_common()
                words = own[:1] if evaluator else [f"{word} {times}" for word, times in counted]
                if words:
                    lines.append(f"{name}: {item} {', '.join(words)}")
            lines += [
                f"{name}: {text}"
                for by, text in self.reasons.get((page, method), ())
                if evaluator in (None, by)
            ]
        lines += [text for by, text in self.reasons.get((page, None), ()) if evaluator in (None, by)]
        return "\n".join(lines) or None


def rationales(study: Study, evaluators: Collection[str]) -> Rationales:
    """Return what these evaluators (pseudonyms) wrote and answered; at most three queries, none where nothing could."""
    found = Rationales()
    if study.asks.texts is None and not has_written(study):
        return found
    shown = {
        candidate: (f"{subtask}/{page}", method)
        for candidate, subtask, page, method in PageCandidate.objects.filter(
            page__subtask__study=study
        ).values_list("candidate_id", "page__subtask__number", "page__number", "study_method__method__key")
    }
    if study.asks.texts is not None:
        items = {item.pk: str(item.text) for item in study.checklist_items.all()}
        for by, candidate, item, answer in (
            ChecklistAnswer.objects.filter(enrolment__study=study)
            .order_by("enrolment__number", F("item__page").asc(nulls_first=True), "item__number")
            .values_list("enrolment__pseudonym", "candidate_id", "item_id", "answer")
        ):
            if by in evaluators:
                found.answers[shown[candidate]][items[item]].append((by, WORDS[answer]))
    if has_written(study):
        for by, candidate, subtask, page, text in (
            latest_written(study)
            .filter(kind=WrittenAnswer.Kind.REASON)
            .order_by("enrolment__number")
            .values_list(
                "enrolment__pseudonym", "candidate_id", "page__subtask__number", "page__number", "text"
            )
        ):
            if by in evaluators:
                place = (f"{subtask}/{page}", None) if candidate is None else shown[candidate]
                found.reasons[place].append((by, text))
    return found
