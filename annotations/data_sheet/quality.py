"""Section 4 of the data sheet: each criterion, and the pick of the best text."""

from __future__ import annotations

from annotations.data_sheet.facts import Facts
from annotations.data_sheet.layout import Item, Part
from annotations.data_sheet.wording import agreement_words, in_all_languages
from annotations.models import Criterion


def criterion(facts: Facts, number: int, one: Criterion) -> Part:
    name = one.label.in_language("en")
    question = in_all_languages(one.question)
    ends = " to ".join(filter(None, (one.low.in_language("en"), one.high.in_language("en"))))
    alpha = next((alpha for alpha in facts.alphas if alpha.criterion.key == one.key), None)
    return Part(
        f"4 Quality criterion {number}: {name}",
        (
            Item("4.1.1", "Type of quality", missing="correctness, goodness or a feature"),
            Item("4.1.2", "Aspect assessed", missing="form, content or both"),
            Item("4.1.3", "Frame of reference", missing="the output itself, the input, or something outside"),
            *mode_items(),
            Item("4.3.1", "Name given to evaluators", in_all_languages(one.label)),
            Item("4.3.2", "Definition given to evaluators", question or "None beside the name."),
            Item("4.3.3", "Size of the scale", str(len(one.points))),
            Item(
                "4.3.4",
                "Values of the scale",
                f"{one.minimum} to {one.maximum}, whole numbers"
                + (", the lowest the best" if one.lower_is_better else "")
                + (", by a slider that begins unset" if one.is_slider else "")
                + (f": {ends}." if ends else "."),
            ),
            Item("4.3.5", "How the scale is presented", "A row of points of which exactly one is chosen."),
            Item("4.3.6", "Task where there is no scale", "Not applicable."),
            Item("4.3.7", "Question as evaluators read it", question or in_all_languages(one.label)),
            Item("4.3.8", "Form of response", "Direct quality estimation."),
            *analysis_items(agreement_words(alpha)),
        ),
    )


def mode_items() -> tuple[Item, ...]:
    return (
        Item("4.2.1", "Objective or subjective", "Subjective."),
        Item(
            "4.2.2",
            "Absolute or relative",
            "Each text has a score of its own; the texts of all systems are in view at the same time.",
        ),
        Item("4.2.3", "Intrinsic or extrinsic", "Intrinsic."),
    )


def analysis_items(agreement: str) -> tuple[Item, ...]:
    return (
        Item(
            "4.3.9",
            "From responses to scores",
            "Means over the valid evaluators and all prompts of each system.",
        ),
        Item(
            "4.3.10",
            "Effect sizes and significance",
            "Differences of two systems with evaluators and prompts as crossed random effects, 95 % intervals,"
            " two-sided tests corrected by Holm over all pairs within a criterion; standardised differences.",
        ),
        Item("4.3.11", "Agreement", agreement),
    )


def best_pick(facts: Facts) -> Part:
    return Part(
        f"4 Quality criterion {len(facts.criteria) + 1}: the best text of a page",
        (
            Item("4.1.1", "Type of quality", missing="correctness, goodness or a feature"),
            Item("4.1.2", "Aspect assessed", missing="form, content or both"),
            Item("4.1.3", "Frame of reference", missing="the output itself, the input, or something outside"),
            Item("4.2.1", "Objective or subjective", "Subjective."),
            Item("4.2.2", "Absolute or relative", "Relative: one of all texts of a page."),
            Item("4.2.3", "Intrinsic or extrinsic", "Intrinsic."),
            Item("4.3.3", "Size of the scale", f"{len(facts.methods)}, one for each text of a page."),
            Item(
                "4.3.5", "How the scale is presented", "Letters of the texts, of which exactly one is chosen."
            ),
            Item("4.3.8", "Form of response", "Relative quality estimation."),
            Item(
                "4.3.9", "From responses to scores", "Picks of each system counted over the valid evaluators."
            ),
        ),
    )
