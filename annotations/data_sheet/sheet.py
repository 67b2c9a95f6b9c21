"""The data sheet of a study: what the platform knows of the questions of HEDS and of ARR, as Markdown.

HEDS, the Human Evaluation Datasheet, is by Shimorina and Belz (HumEval 2022); version 3.0 by Belz and Thomson (2024)
keeps its five sections and its questions and divides some of them. ARR is the checklist of ACL Rolling Review on
responsible research. The numbers are theirs, the words ours. What only the researchers know is left as a marked
blank. Nothing here is by method, so the sheet of a sealed study can be shown.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import override

from annotations.data_sheet.facts import Facts, gathered
from annotations.data_sheet.layout import BLANK, Item, Part
from annotations.data_sheet.quality import best_pick, criterion
from annotations.data_sheet.wording import (
    form_line,
    form_words,
    label,
    payment_words,
    personal_data,
    quoted,
    recruiting_words,
    time_words,
)
from annotations.models import Study
from generation.genres import GENRES
from stats.reports.numbers import exact_percent


def heds_markdown(study: Study) -> str:
    """Return the data sheet of a study, filled in as far as the platform knows it; the queries are constant."""
    facts = gathered(study)
    parts = [
        about(facts),
        systems(facts),
        sample(facts),
        evaluators(facts),
        design(facts),
        *(criterion(facts, number, one) for number, one in enumerate(facts.criteria, start=1)),
        *([best_pick(facts)] if study.has_best_picks else ()),
        ethics(facts),
        responsible_research(facts),
    ]
    head = (
        f"# Human evaluation data sheet: {study.title.in_language('en')}\n\n"
        f"Filled in by evalsite {settings.VERSION} for the study `{study.slug}`, which is {study.state}. Sections 1"
        " to 5 follow HEDS (Shimorina and Belz, 2022; version 3.0: Belz and Thomson, 2024), section 6 the checklist of"
        f" ACL Rolling Review. Look for “{BLANK.strip('*')}”: that is what only you know."
    )
    return "\n\n".join((head, *(part.markdown() for part in parts), appendix(facts))) + "\n"


def what_is_asked(study: Study) -> str:
    """Say what stands below the texts, and which of them share a page."""
    if study.asks.answer is None:
        asked = "Below each text one row of points for each criterion, with words at both ends" + (
            "; below all the pick of the best one." if study.has_best_picks else "."
        )
    else:
        with override("en"):
            asked = str(study.asks.methods_text)
    if study.candidates_per_page is None:
        return asked
    return (
        f"{asked} A page has {study.candidates_per_page} texts of its prompt, in balanced incomplete blocks."
    )


def about(facts: Facts) -> Part:
    return Part(
        "1 Reference and resources",
        (
            Item(
                "1.1",
                "Where the experiment is reported",
                missing="the address of the paper, and which experiment",
            ),
            Item(
                "1.2",
                "Resources used",
                "The answers, the report and the preference pairs can be exported from the study: `export_ratings`,"
                " `export_report`, `export_preferences`.",
                "the address at which outputs, answers and tools are published",
            ),
            Item(
                "1.3",
                "Who fills in this sheet",
                f"Contact named to evaluators: {facts.study.contact}" if facts.study.contact else "",
                "names, affiliations and e-mail addresses",
            ),
        ),
    )


def systems(facts: Facts) -> Part:
    genre = GENRES[facts.study.genre]
    language = facts.study.text_language_name
    return Part(
        "2 Evaluated systems",
        (
            Item(
                "2.1",
                "Input",
                genre.given,
            ),
            Item(
                "2.2",
                "Output",
                genre.written,
            ),
            Item(
                "2.3",
                "Task",
                genre.task,
            ),
            Item(
                "2.4",
                "Input and output languages",
                f"Outputs: {language}.",
                "the language of the inputs, if it is another one",
            ),
            Item(
                "2.5",
                "Systems",
                f"{len(facts.methods)}: {', '.join(facts.methods)}." if facts.methods else "None yet.",
                "versions, parameters and sources of each, and which of them are people",
            ),
        ),
    )


def sample(facts: Facts) -> Part:
    file = facts.material.get("file")
    origin = (
        f"The prompts are those of the file {file} (SHA-256 `{facts.material.get('sha256', '')}`), all of them."
        if file
        else ""
    )
    plan = facts.plan
    planned = (
        f"Planned before the first answer: {plan.planned_prompts} prompts"
        + (f", {plan.planned_evaluators} evaluators" if plan.planned_evaluators else "")
        + "."
        if plan
        else ""
    )
    return Part(
        "3.1 Sample of outputs",
        (
            Item("3.1.1", "Outputs evaluated of each system", outputs_evaluated(facts)),
            Item("3.1.2", "How they were selected", origin, "how the prompts were chosen, and each output"),
            Item(
                "3.1.3",
                "Statistical power",
                planned,
                "the power for the effect sought (the command `rehearse` and the report compute it)",
            ),
        ),
    )


def evaluators(facts: Facts) -> Part:
    funnel = facts.funnel
    counted = (
        f"{funnel.enrolled} take part; {funnel.started} have begun, {funnel.finished} finished, and"
        f" {funnel.valid} of these count as valid. {funnel.withdrawn} withdrew."
    )
    if funnel.simulated or funnel.imported:
        counted += f" Of those who take part {funnel.simulated} are simulated and {funnel.imported} imported."
    return Part(
        "3.2 Evaluators",
        (
            Item("3.2.1", "How many", counted),
            Item(
                "3.2.2",
                "Of what kind",
                payment_words(facts),
                "experts or not, known to the authors or not, authors among them or not",
            ),
            Item(
                "3.2.3",
                "How they were recruited",
                recruiting_words(facts),
                "by which channels, who was left out",
            ),
            Item(
                "3.2.4",
                "Training and practice",
                "No practice pages. Everybody reads the instructions in the appendix before the first page and can"
                " read them again at any time.",
                "any training outside of the platform",
            ),
            Item(
                "3.2.5",
                "Other characteristics",
                form_words(facts),
                "" if facts.forms else "what else is known",
            ),
        ),
    )


def design_elsewhere() -> Part:
    """Return the part on the design where the ratings were collected elsewhere: what is not known here."""
    missing = {
        "3.3.2": ("How responses were collected", "with which form or tool, and how they were stored"),
        "3.3.3": ("Quality assurance", "what was checked, and who was left out"),
        "3.3.4": ("What evaluators see", "a picture of a page, and the order of the texts"),
        "3.3.5": ("Freedom in time", "how long evaluators could take"),
        "3.3.6": ("Questions and feedback", "how evaluators could ask or comment"),
        "3.3.7": ("Conditions", "where and with what evaluators rated"),
        "3.3.8": ("Differences in conditions", "which there were"),
    }
    return Part(
        "3.3 Experimental design",
        (
            Item("3.3.1", "Preregistration", "The plan of this analysis was written after the data."),
            *(Item(number, question, missing=words) for number, (question, words) in missing.items()),
        ),
    )


def design(facts: Facts) -> Part:
    if facts.study.from_elsewhere is not None:
        return design_elsewhere()
    study, plan = facts.study, facts.plan
    threshold = exact_percent(float(study.inconsistency_threshold))
    return Part(
        "3.3 Experimental design",
        (
            Item(
                "3.3.1",
                "Preregistration",
                f"The plan of the analysis was locked on {plan.locked_at:%Y-%m-%d}, before the first answer"
                f" (SHA-256 `{plan.digest}`)."
                if plan
                else "No plan was locked on the platform.",
                "the registry and its address, if there is one",
            ),
            Item(
                "3.3.2",
                "How responses were collected",
                f"With the web questionnaire of evalsite {settings.VERSION}, each answer saved at once.",
            ),
            Item(
                "3.3.3",
                "Quality assurance",
                "Automatic, fixed beforehand: an evaluator counts who has answered everything"
                + (
                    f" and has at most {threshold} inconsistent pages, on which the text picked as the best was rated"
                    " overall below another one."
                    if facts.study.has_best_picks
                    else "."
                )
                + f" {facts.funnel.finished - facts.funnel.valid} who finished are left out by this rule.",
                "whether evaluators had to be native speakers, and checks by hand",
            ),
            Item(
                "3.3.4",
                "What evaluators see",
                "One prompt a page with all its texts as equal, lettered cards, in an order drawn for each"
                " evaluator and page and balanced over the evaluators of a page; no method is named. "
                + what_is_asked(facts.study),
                "a picture of a page (the preview of the study shows it)",
            ),
            Item("3.3.5", "Freedom in time", time_words(facts)),
            Item(
                "3.3.6",
                "Questions and feedback",
                f"Evaluators are told whom they may ask: {study.contact}" if study.contact else "",
                "" if study.contact else "how evaluators could ask or comment",
            ),
            Item(
                "3.3.7",
                "Conditions",
                "Online, at a place and with a device of each evaluator's own choosing.",
                "other conditions, if there were any",
            ),
            Item(
                "3.3.8",
                "Differences in conditions",
                "Place, device and time of day differ as each evaluator chose them; they are not recorded.",
            ),
        ),
    )


def ethics(facts: Facts) -> Part:
    asked = "; ".join(label(question) for question in facts.study.questions)
    return Part(
        "5 Ethics",
        (
            Item(
                "5.1",
                "Approval by an ethics committee",
                missing="which committee, and the number of its approval",
            ),
            Item("5.2", "Personal data", personal_data(asked), "personal data in the outputs themselves"),
            Item(
                "5.3",
                "Special categories of personal data",
                "" if asked else "Evaluators are asked nothing about themselves.",
                f"whether any of these is one: {asked}"
                if asked
                else "special categories in the outputs themselves",
            ),
            Item("5.4", "Impact assessment", missing="any assessment of the impact, and where it is found"),
        ),
    )


def outputs_evaluated(facts: Facts) -> str:
    if facts.texts < facts.prompts * len(facts.methods):
        return f"{facts.texts} in all, for {facts.prompts} prompts; by design some systems lack some prompts."
    return f"{facts.prompts}, one for each prompt."


def responsible_research(facts: Facts) -> Part:
    study, funnel = facts.study, facts.funnel
    ratings = facts.texts
    consent = (
        f"Asked for before the first page with the text in the appendix; {facts.consented} agreed. Evaluators can"
        " withdraw by themselves until the study is closed."
        if study.asks_consent()
        else "No consent was asked for on the platform."
    )
    return Part(
        "6 ARR checklist: data, statistics and annotators",
        (
            Item("B4", "Personal or offensive content in the data", missing="how the outputs were checked"),
            Item(
                "B5",
                "Documentation of the data",
                f"{study.get_genre_display()}, in {study.text_language_name}.",
                "domains, and the groups of people the data stand for",
            ),
            Item(
                "B6",
                "Numbers of the data",
                f"{facts.prompts} prompts, {ratings} texts, {funnel.enrolled} evaluators.",
            ),
            Item(
                "C3",
                "Descriptive statistics",
                "The report gives means, deviations, intervals, effect sizes and corrected p-values once the study is"
                " closed.",
            ),
            Item("C4", "Packages", f"evalsite {settings.VERSION}; the report names all versions."),
            Item("D1", "Instructions given to participants", "In full in the appendix."),
            Item(
                "D2",
                "Recruitment and payment",
                f"{recruiting_words(facts)} {payment_words(facts)}",
                "why the payment is fair where the participants live",
            ),
            Item("D3", "Consent", consent, "" if study.asks_consent() else "how consent was obtained"),
            Item("D4", "Ethics review", missing="as in 5.1"),
            Item(
                "D5", "Who the annotators are", form_words(facts), "where they live, and what else is known"
            ),
        ),
    )


def appendix(facts: Facts) -> str:
    """Return the words that evaluators read, in full."""
    study = facts.study
    blocks = ["## Appendix: what evaluators read"]
    for title, texts in (
        ("Instructions", study.instructions),
        ("Consent", study.consent),
    ):
        blocks.append(f"### {title}")
        blocks += [quoted(text) for text in texts.values()] or ["None."]
    if study.questions:
        blocks.append("### Short form")
        blocks.append("\n".join(f"- {form_line(question)}" for question in study.questions))
    return "\n\n".join(blocks)
