"""The data sheet of a study as the file that the public HEDS form loads.

The form (nlp-heds.github.io, HEDS 3.0, Belz and Thomson 2024) keeps a flat object: under the id of each of its fields
`data` with one value, or one a quality criterion. What the platform does not know is not in the file: the form marks
it itself as blank.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from annotations.data_sheet.facts import Facts, gathered
from annotations.data_sheet.layout import Part
from annotations.data_sheet.quality import best_pick, criterion
from annotations.data_sheet.sheet import design, evaluators, outputs_evaluated
from annotations.data_sheet.wording import label, personal_data
from annotations.models import Study

# The id of every question of the form by its number; those of section 4 are asked of each criterion.
PAPER, SYSTEM, ETHICS = "heds-paper_and_resources", "heds-system", "heds-ethics"
SAMPLE, PEOPLE, DESIGN = (
    f"heds-sample_evaluators_design-{part}" for part in ("sample", "evaluators", "experimental_design")
)
CRITERIA = "heds-criteria-criterion"
RESPONSE = f"{CRITERIA}-response_elicitation"
QUESTIONS: Mapping[str, str] = {
    "1.1.1": f"{PAPER}-paper-link",
    "1.1.2": f"{PAPER}-paper-experiment_identification",
    "1.2": f"{PAPER}-resources-links",
    "1.3.1.1": f"{PAPER}-names_and_affiliations-person_completing_this_sheet-name",
    "1.3.1.2": f"{PAPER}-names_and_affiliations-person_completing_this_sheet-affiliation",
    "1.3.1.3": f"{PAPER}-names_and_affiliations-person_completing_this_sheet-email",
    "1.3.2.1": f"{PAPER}-names_and_affiliations-contact_author-name",
    "1.3.2.2": f"{PAPER}-names_and_affiliations-contact_author-affiliation",
    "1.3.2.3": f"{PAPER}-names_and_affiliations-contact_author-email",
    "2.1": f"{SYSTEM}-input_types",
    "2.2": f"{SYSTEM}-output_types",
    "2.3": f"{SYSTEM}-tasks",
    "2.4": f"{SYSTEM}-input_languages",
    "2.5": f"{SYSTEM}-output_languages",
    "3.1.1": f"{SAMPLE}-number_of_system_outputs",
    "3.1.2": f"{SAMPLE}-system_output_selection",
    "3.1.3.1": f"{SAMPLE}-statistical_power-method",
    "3.1.3.2": f"{SAMPLE}-statistical_power-value",
    "3.1.3.3": f"{SAMPLE}-statistical_power-script",
    "3.2.1": f"{PEOPLE}-number_of_evaluators",
    "3.2.2.1": f"{PEOPLE}-evaluators-expertise",
    "3.2.2.2": f"{PEOPLE}-evaluators-payment",
    "3.2.2.3": f"{PEOPLE}-evaluators-known_to_authors",
    "3.2.2.4": f"{PEOPLE}-evaluators-are_authors",
    "3.2.3": f"{PEOPLE}-recruitment_method",
    "3.2.4": f"{PEOPLE}-training_practice",
    "3.2.5": f"{PEOPLE}-characteristics",
    "3.3.1": f"{DESIGN}-preregistered",
    "3.3.2": f"{DESIGN}-collection_method",
    "3.3.3.1": f"{DESIGN}-quality_assurance-method",
    "3.3.3.2": f"{DESIGN}-quality_assurance-description",
    "3.3.4.1": f"{DESIGN}-what_evaluators_see-link",
    "3.3.4.2": f"{DESIGN}-what_evaluators_see-description",
    "3.3.5": f"{DESIGN}-evaluator_freedom",
    "3.3.6": f"{DESIGN}-evaluators_can_ask_questions",
    "3.3.7": f"{DESIGN}-experimental_conditions",
    "3.3.8": f"{DESIGN}-evaluators_place_of_choosing",
    "4.1.1": f"{CRITERIA}-criteria-quality_type",
    "4.1.2": f"{CRITERIA}-criteria-output_aspect",
    "4.1.3": f"{CRITERIA}-criteria-self_vs_external_frame",
    "4.2.1": f"{CRITERIA}-evaluation_mode-objective_or_subjective",
    "4.2.2": f"{CRITERIA}-evaluation_mode-absolute_or_relative",
    "4.2.3": f"{CRITERIA}-evaluation_mode-intrinsic_or_extrinsic",
    "4.3.1.1": f"{RESPONSE}-qc_name-participant_criterion_name",
    "4.3.1.2": f"{RESPONSE}-qc_name-mapped_criterion_name",
    # So it is spelt there.
    "4.3.2": f"{RESPONSE}-participant_criterion_definiiton",  # typos: ignore
    "4.3.3": f"{RESPONSE}-size_of_scale",
    "4.3.4": f"{RESPONSE}-list_or_range",
    "4.3.5": f"{RESPONSE}-scale_presented_as",
    "4.3.6": f"{RESPONSE}-task_description",
    "4.3.7": f"{RESPONSE}-verbatim_question",
    "4.3.8": f"{RESPONSE}-form_of_response",
    "4.3.9": f"{RESPONSE}-response_aggregation",
    "4.3.10": f"{RESPONSE}-effect_size_method",
    "4.3.11.1": f"{RESPONSE}-inter_annotator-agreement",
    "4.3.11.2": f"{RESPONSE}-inter_annotator-agreement_score",
    "4.3.12.1": f"{RESPONSE}-intra_annotator-intra_annotator_agreement",
    "4.3.12.2": f"{RESPONSE}-intra_annotator-intra_annotator_agreement_score",
    "5.1": f"{ETHICS}-review_body",
    "5.2": f"{ETHICS}-personal_data",
    "5.3": f"{ETHICS}-special_category_data",
    "5.4": f"{ETHICS}-impact_assessments",
}
# What the form calls the kinds of text, by genre: those of the input, of the output, and the task.
KINDS = {
    "poem": ("4. Text: subsentential unit of text", "6. Text: multiple sentences", ""),
    "qa": ("5. Text: sentence", "6. Text: multiple sentences", "12. Question answering"),
    "summary": ("7. Text: document", "6. Text: multiple sentences", "16. Summarisation (text-to-text)"),
}
# The field of a language is one further than its number.
LANGUAGES = {
    "zh": "29. Chinese", "cs": "36. Czech", "da": "37. Danish", "en": "41. English", "et": "43. Estonian",
    "fi": "47. Finnish", "fr": "48. French", "ko": "89. Korean", "lv": "94. Latvian", "lt": "97. Lithuanian",
    "mk": "100. Macedonian", "ms": "102. Malay", "mt": "104. Maltese", "yo": "181. Yoruba", "zu": "183. Zulu",
}  # fmt: skip
NOT_MEASURED = "IntraAA not assessed"


class Form:
    """The file, written question by question."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, Any]] = {}
        self.answered: set[tuple[str, str]] = set()

    def write(self, number: str, answer: str, *, of: str = "") -> None:
        """Answer a question in words; `of` is the criterion that it is asked of. Nothing is written for no words."""
        if answer:
            field = self.fields.setdefault(QUESTIONS[number], {"data": {}, "control": {}, "number": number})
            field["data"][of] = answer
            self.answered.add((number, of))

    def tick(
        self, number: str, option: str, *, of: str = "", field: int | None = None, words: str = ""
    ) -> None:
        """Tick an option, whose label begins with the number of its field; `words` explain it."""
        place = int(option.partition(".")[0]) if field is None else field
        key = f"{QUESTIONS[number]}-{place}"
        ticked = self.fields.setdefault(key, {"data": {}, "control": {}, "text": {}, "number": number})
        ticked["data"][of], ticked["text"][of] = True, option
        if words:
            beside = self.fields.setdefault(f"{QUESTIONS[number]}-other_text", {"data": {}, "control": {}})
            beside["data"][of] = words
        self.answered.add((number, of))


def heds_form(study: Study) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the file for the form, and the numbers of the questions that stay for the authors; constant queries."""
    facts, form = gathered(study), Form()
    write_systems(form, facts)
    write_people_and_design(form, facts)
    criteria = list(criteria_of(facts))
    for position, (name, part, is_pick) in enumerate(criteria):
        chosen = form.fields.setdefault(CRITERIA, {"data": {}, "control": {}, "text": {}})
        chosen["control"][name] = position == 0
        write_criterion(form, facts, name, part, is_pick=is_pick)
    left = (
        number
        for number in QUESTIONS
        if any(
            (number, of) not in form.answered
            for of in ([name for name, *_ in criteria] if number.startswith("4.") else [""])
        )
    )
    return form.fields, tuple(left)


def criteria_of(facts: Facts) -> Iterator[tuple[str, Part, bool]]:
    """Yield the criteria by a name that the form can show, with what the sheet says of them; the pick comes last."""
    taken: set[str] = set()
    for number, one in enumerate(facts.criteria, start=1):
        name = shown = one.label.in_language("en").translate({ord(mark): " " for mark in "<>&|"})
        while name in taken:
            name = f"{shown} {number}"
        taken.add(name)
        yield name, criterion(facts, number, one), False
    if facts.study.has_best_picks:
        yield "Best text of a page", best_pick(facts), True


def write_systems(form: Form, facts: Facts) -> None:
    given, written, task = KINDS.get(facts.study.genre, ("", "", ""))
    for number, option in (("2.1", given), ("2.2", written), ("2.3", task)):
        if option:
            form.tick(number, option)
    if language := LANGUAGES.get(facts.study.text_language.partition("-")[0].lower()):
        form.tick("2.5", language, field=int(language.partition(".")[0]) + 1)
    else:
        form.tick("2.5", "184. Other (please describe)", field=185, words=facts.study.text_language_name)


def write_people_and_design(form: Form, facts: Facts) -> None:
    study = facts.study
    form.write("3.1.1", outputs_evaluated(facts))
    form.write("3.2.1", str(facts.funnel.valid))
    if study.from_elsewhere is not None:
        return
    known = {item.number: item.known for part in (evaluators(facts), design(facts)) for item in part.items}
    if any([study.payment, *(group.payment_due() for group in facts.groups)]):
        form.tick("3.2.2.2", "1. Paid (monetary compensation)")
    for number in ("3.2.3", "3.2.4", "3.2.5", "3.3.2"):
        form.write(number, known[number])
    if facts.plan is not None:
        form.tick("3.3.1", "1. Yes (please provide link)", words=known["3.3.1"])
    form.tick("3.3.3.1", "2. Automatic quality checking methods are used during and/or after evaluation")
    form.tick("3.3.3.1", "4. Evaluators are excluded if they fail quality checks (often or badly enough)")
    form.write("3.3.3.2", known["3.3.3"])
    form.write("3.3.4.2", known["3.3.4"])
    form.tick("3.3.5", "3. Evaluators must complete the whole evaluation within a set amount of time")
    if study.contact:
        form.tick("3.3.6", "2. Evaluators are told they can ask any questions during the evaluation")
    form.tick("3.3.7", "1. Evaluators carry out assessments at a place of their own choosing")
    form.write("3.3.8", known["3.3.8"])
    form.tick(
        "5.2",
        "2. Yes, personal data as defined by GDPR was evaluated and/or collected",
        words=personal_data("; ".join(label(question) for question in study.questions)),
    )


def write_criterion(form: Form, facts: Facts, name: str, part: Part, *, is_pick: bool) -> None:
    is_here = facts.study.from_elsewhere is None
    known = {item.number: item.known for item in part.items}
    form.tick("4.2.1", "2. Subjective", of=name)
    form.tick("4.2.3", "1. Intrinsic", of=name)
    form.write("4.3.1.1", known.get("4.3.1") or "no name given", of=name)
    form.write("4.3.2", known.get("4.3.2", ""), of=name)
    form.write("4.3.3", known["4.3.3"].partition(",")[0], of=name)
    form.write("4.3.4", known.get("4.3.4", ""), of=name)
    form.write("4.3.9", known["4.3.9"], of=name)
    if is_pick:
        form.tick("4.2.2", "2. Relative", of=name)
        form.tick("4.3.8", "3. Relative quality estimation (including ranking)", of=name)
    else:
        form.write("4.3.10", known["4.3.10"], of=name)
        form.tick("4.3.8", "2. Direct quality estimation", of=name)
        measure, _, score = known["4.3.11"].partition("alpha ")
        if score:
            form.write("4.3.11.1", f"{measure}alpha, ordinal", of=name)
            form.write("4.3.11.2", score, of=name)
    if is_here:
        # All texts of a page are in view together, which is what the form calls relative.
        form.tick("4.2.2", "2. Relative", of=name)
        is_slider = not is_pick and ", by a slider" in known["4.3.4"]
        form.tick("4.3.5", "3. Slider" if is_slider else "1. Multiple-choice options", of=name)
        form.write("4.3.6", "N/A", of=name)
        form.write("4.3.7", known.get("4.3.7", ""), of=name)
        for number in ("4.3.12.1", "4.3.12.2"):
            form.write(number, NOT_MEASURED, of=name)
