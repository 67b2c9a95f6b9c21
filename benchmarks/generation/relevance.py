"""Whether inverse prompting makes poems go better with their titles, and what it costs.

Every method writes a poem for the same held-out Tang titles and the same modern titles, in the same forms and with the
same seeds. How well a poem goes with its title is said by a judge that shares neither model nor data with the methods:
a character-translation model trained on Song poems that the language model never saw. It ranks the poem's own title
among all titles of its kind, 1 being the best; a poem about nothing would be in the middle. Differences are paired by
title, with one standard error. Real poems are there for the Tang titles.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from tqdm import tqdm

from generation.decoding.local_model import TransformersModel, load_model
from generation.decoding.methods import compose_many, prepare
from generation.decoding.model_folder import digest_weights
from generation.decoding.sentence_search import search
from generation.evidence.copies import Corpus
from generation.evidence.measures import (
    COPIED,
    DISTINCT,
    EMBEDDING_RANK,
    FORWARD,
    LONGEST_RUN,
    MEASURES,
    MODEL_RANK,
    RANK,
    RANK_BY_COPIES,
    RANK_WITHOUT_COPIES,
    REPETITION,
    RHYME,
    TITLE_COPIED,
    TONES,
    Title,
    Yardsticks,
    measure,
    variety,
)
from generation.evidence.titles import held_out_poems, load_titles, titles_in_corpus
from generation.evidence.translation import Floats, Judge, ranks, train_judge
from generation.methods import FORWARD as FORWARD_SCORE
from generation.methods import PRESETS
from generation.orders import Order
from generation.verse.corpus import Poem, load_corpus
from generation.verse.forms import REGULATED_FORMS, find_form
from stats.mixed import t_interval, t_p_value

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "var" / "corpus" / "poems.jsonl"
REAL, FORWARD_ONLY = "human", "forward_only"
BASELINE, INVERSE, SELF_TRAINED = "search_baseline", "inverse_prompting", "inverse_prompting_st"
GUIDED = "guided_search"
# What is compared: the second against the first.
PAIRS = (
    (FORWARD_ONLY, BASELINE),
    (BASELINE, INVERSE),
    (INVERSE, GUIDED),
    (INVERSE, SELF_TRAINED),
    (REAL, INVERSE),
)
TANG, MODERN = "Tang", "modern"
KEY_OF = {form.name: key for key, form in REGULATED_FORMS.items()}
SHOWN = {
    EMBEDDING_RANK: "8.1f",
    RANK: "8.1f",
    RANK_WITHOUT_COPIES: "8.1f",
    RANK_BY_COPIES: "8.1f",
    MODEL_RANK: "8.1f",
    TITLE_COPIED: "8.2f",
    FORWARD: "8.2f",
    TONES: "8.2f",
    RHYME: "8.2f",
    REPETITION: "8.2f",
    COPIED: "8.3f",
    LONGEST_RUN: "8.2f",
}

Compose = Callable[[Sequence[Order]], Sequence[str]]


def main() -> None:
    options = read_options()
    if options.corpus == CORPUS and not CORPUS.exists():
        print(f"There is no corpus in {CORPUS}: make one with 'manage.py prepare_corpus --fetch'.")
        return
    started = time.perf_counter()
    poems = load_corpus(options.corpus)
    modern = load_titles(options.modern)[: options.titles]
    if found := titles_in_corpus(modern, poems):
        raise SystemExit(f"{options.modern}: the corpus has {'、'.join(found)}")
    training = Corpus(poem.text for poem in poems if poem.part == "train")
    held_out = held_out_poems(poems, training, options.titles, options.seed)
    model = load_model(options.model, device=options.device)
    yardsticks = Yardsticks(train_judge(poems), training, model)
    methods = methods_of(options, model)
    kinds = {
        TANG: [
            order_of(poem.title, KEY_OF[poem.form], options, place) for place, poem in enumerate(held_out)
        ],
        MODERN: [
            order_of(title, list(REGULATED_FORMS)[place % len(REGULATED_FORMS)], options, place)
            for place, title in enumerate(modern)
        ],
    }
    texts, results = {}, {}
    for kind, orders in kinds.items():
        texts[kind] = {REAL: [poem.text for poem in held_out]} if kind == TANG else {}
        for method, compose in methods.items():
            texts[kind][method] = write(compose, orders, options.batch, f"{method}, {kind}")
        titles = [Title(order.prompt, prepare(model, order)[0], find_form(order.form)) for order in orders]
        results[kind] = measure(yardsticks, titles, texts[kind])
    evidence = {
        "settings": settings(options, model, {kind: len(orders) for kind, orders in kinds.items()}),
        "judge": check_judge(yardsticks.judge, held_out),
        "methods": {
            kind: {method: summary(values, texts[kind][method]) for method, values in of_kind.items()}
            for kind, of_kind in results.items()
        },
        "differences": {
            kind: differences(of_kind) for kind, of_kind in [*results.items(), ("all", together(results))]
        },
    }
    show(evidence)
    print(f"took {(time.perf_counter() - started) / 60:.1f} minutes")
    if options.output:
        options.output.write_text(json.dumps(evidence, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if options.card:
        options.card.write_text(
            json.dumps(card_tables(evidence), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    if options.poems:
        write_poems(options.poems, kinds, texts, results)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--corpus", type=Path, default=CORPUS, help="what prepare_corpus wrote (default: %(default)s)")
    add(
        "--model",
        type=Path,
        default=ROOT / "fixtures/verse-model",
        help="the base model (default: %(default)s)",
    )
    add("--self-trained", type=Path, help="the self-trained model; without it that method is left out")
    add(
        "--modern",
        type=Path,
        default=ROOT / "fixtures/titles/modern.json",
        help="a JSON list (default: %(default)s)",
    )
    add("--titles", type=int, default=4, help="titles of each kind; the cards have 40 (default: %(default)s)")
    add(
        "--preset",
        choices=[name for name in PRESETS if name != "qa"],
        default="poem",
        help="(default: %(default)s)",
    )
    add("--seed", type=int, default=1, help="of the titles and of the search (default: %(default)s)")
    add("--batch", type=int, default=4, help="titles that are searched side by side (default: %(default)s)")
    add("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    add("--output", type=Path, help="where the figures go, as JSON")
    add(
        "--card",
        type=Path,
        help="where the tables for a model card go: evidence.json in the folder of the model",
    )
    add("--poems", type=Path, help="where the poems go, as JSON Lines")
    return parser.parse_args()


def order_of(title: str, form: str, options: argparse.Namespace, place: int) -> Order:
    return Order("", "poem", title, form=form, preset=options.preset, seed=options.seed * 100_000 + place)


def methods_of(options: argparse.Namespace, model: TransformersModel) -> dict[str, Compose]:
    """Return the methods to compare; all run the same search with the same settings."""
    methods = {
        FORWARD_ONLY: forward_only(model),
        BASELINE: method_of(BASELINE, model),
        INVERSE: method_of(INVERSE, model),
        GUIDED: method_of(GUIDED, model),
    }
    if options.self_trained:
        methods[SELF_TRAINED] = method_of(
            SELF_TRAINED, load_model(options.self_trained, device=options.device)
        )
    return methods


def method_of(key: str, model: TransformersModel) -> Compose:
    def compose(orders: Sequence[Order]) -> list[str]:
        named = [Order(**{**asdict(order), "method": key}) for order in orders]
        return [written.best.text for written in compose_many(model, named)]

    return compose


def forward_only(model: TransformersModel) -> Compose:
    """Return the search with the forward score alone, which is no method of the site."""

    def compose(orders: Sequence[Order]) -> list[str]:
        requests = [prepare(model, order)[0] for order in orders]
        return [found[0].text for found in search(model, requests, FORWARD_SCORE, PRESETS[orders[0].preset])]

    return compose


def write(compose: Compose, orders: Sequence[Order], batch: int, label: str) -> list[str]:
    """Return a poem for each order; poems of one form are written side by side."""
    by_form = sorted(range(len(orders)), key=lambda place: orders[place].form)
    poems = {}
    for first in tqdm(range(0, len(orders), batch), desc=label, disable=None):
        places = by_form[first : first + batch]
        poems.update(zip(places, compose([orders[place] for place in places]), strict=True))
    return [poems[place] for place in range(len(orders))]


def settings(
    options: argparse.Namespace, model: TransformersModel, titles: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "model": model.name,
        "checkpoint": model.digest,
        "self-trained checkpoint": digest_weights(options.self_trained) if options.self_trained else None,
        "preset": options.preset,
        "search": asdict(PRESETS[options.preset]),
        "seed": options.seed,
        "titles": dict(titles),
    }


def check_judge(judge: Judge, poems: Sequence[Poem]) -> dict[str, Any]:
    """Return what the judge was made from, and where it ranks the titles of real poems and those of other poems."""
    scores = judge.scores([poem.text for poem in poems], [poem.title for poem in poems])
    own = np.arange(len(poems))
    return {
        "characters of titles": len(judge.model.columns),
        "characters of poems": len(judge.model.rows),
        "poems in the background": len(judge.background),
        "rank of real titles": float(ranks(scores, own).mean()),
        "rank of shuffled titles": float(ranks(scores, np.roll(own, 1)).mean()),
    }


def summary(values: Mapping[str, Floats], poems: Sequence[str]) -> dict[str, Any]:
    means = {name: {"mean": float(values[name].mean()), "se": error_of(values[name])} for name in MEASURES}
    return {**means, **variety(poems)}


def error_of(values: Floats) -> float:
    """Return the standard error of a mean."""
    return float(values.std(ddof=1) / math.sqrt(len(values)))


def together(results: Mapping[str, Mapping[str, Mapping[str, Floats]]]) -> dict[str, dict[str, Floats]]:
    """Return the methods that wrote for titles of all kinds, with all their titles."""
    shared = set.intersection(*(set(of_kind) for of_kind in results.values()))
    return {
        method: {
            name: np.concatenate([of_kind[method][name] for of_kind in results.values()]) for name in MEASURES
        }
        for method in shared
    }


def differences(results: Mapping[str, Mapping[str, Floats]]) -> list[dict[str, Any]]:
    """Return the paired differences of all pairs of methods that are there, for every measure."""
    return [
        {"of": second, "from": first, "measure": name, **paired(results[second][name] - results[first][name])}
        for first, second in PAIRS
        if first in results and second in results
        for name in MEASURES
    ]


def paired(difference: Floats) -> dict[str, Any]:
    """Return the mean of differences with its standard error, 95 % interval and the p-value of Student's t."""
    estimate, se, df = float(difference.mean()), error_of(difference), len(difference) - 1
    tested = {"ci": list(t_interval(estimate, se, df, 0.95)), "p": t_p_value(estimate / se, df)} if se else {}
    return {"difference": estimate, "se": se, "titles": len(difference), **tested}


def card_tables(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the evidence as the tables of a model card (generation.training.model_card)."""
    settings = evidence["settings"]
    options = f"--titles {settings['titles']['Tang']} --preset {settings['preset']}"
    command = f"python -m benchmarks.generation.relevance {options}"
    tables = [
        {
            "title": f"Poems for {settings['titles'][kind]} {kind} titles",
            "text": "Mean and one standard error. `embedding rank` is by the judge that agrees with people, `rank` by "
            "the translation of characters, which shares neither model nor data with this one (of "
            f"{settings['titles'][kind]}, 1 is best), `model rank` by this model itself: it is what inverse prompting "
            "looks for, and so no evidence. Forward in nats a character, violations and copies a poem.",
            "columns": ["measured", *methods],
            "rows": [
                [measure, *(in_words(methods[method].get(measure)) for method in methods)]
                for measure in next(iter(methods.values()))
            ],
            "command": command,
        }
        for kind, methods in evidence["methods"].items()
    ]
    for kind, differences in evidence["differences"].items():
        tables.append(
            {
                "title": f"Paired differences in rank, {kind}",
                "text": "By the two judges, paired by title; a negative difference is a better rank.",
                "columns": ["methods", "judged by", "difference", "95 % interval", "p"],
                "rows": [
                    [
                        f"{one['of']} - {one['from']}",
                        one["measure"],
                        f"{one['difference']:+.2f} ± {one['se']:.2f}",
                        f"{one['ci'][0]:+.2f} to {one['ci'][1]:+.2f}",
                        f"{one['p']:.4f}",
                    ]
                    for one in differences
                    if one["measure"] in (EMBEDDING_RANK, RANK)
                ],
                "command": command,
            }
        )
    return tables


def in_words(value: Any) -> str:
    """Return a figure of a method as it stands in a table."""
    if value is None:
        return ""
    return f"{value['mean']:.2f} ± {value['se']:.2f}" if isinstance(value, dict) else f"{value:.3f}"


def show(evidence: Mapping[str, Any]) -> None:
    for name, value in [*evidence["settings"].items(), *evidence["judge"].items()]:
        print(f"{name}: {value}")
    for kind, methods in evidence["methods"].items():
        titles = evidence["settings"]["titles"][kind]
        print(f"\n{kind} titles; rank of the own title among {titles}, {(titles + 1) / 2} by chance")
        print(f"{'':26s}" + "".join(f"{method:>22s}" for method in methods))
        for name, shape in SHOWN.items():
            cells = [
                f"{values[name]['mean']:{shape}} ± {values[name]['se']:.2g}" for values in methods.values()
            ]
            print(f"{name:26s}" + "".join(f"{cell:>22s}" for cell in cells))
        for name in DISTINCT:
            print(f"{name:26s}" + "".join(f"{values[name]:>22.3f}" for values in methods.values()))
    print(
        f"\npaired differences{'':28s}{'measure':22s}"
        + "".join(f"{kind:>24s}" for kind in evidence["differences"])
    )
    by_pair: dict[tuple[str, str, str], dict[str, str]] = {}
    for kind, found in evidence["differences"].items():
        for one in found:
            cell = f"{one['difference']:+.2f} ± {one['se']:.2f}"
            by_pair.setdefault((one["of"], one["from"], one["measure"]), {})[kind] = cell
    for (second, first, name), cells in by_pair.items():
        columns = "".join(f"{cells.get(kind, ''):>24s}" for kind in evidence["differences"])
        print(f"{f'{second} - {first}':46s}{name:22s}{columns}")


def write_poems(
    path: Path,
    kinds: Mapping[str, Sequence[Order]],
    texts: Mapping[str, Mapping[str, Sequence[str]]],
    results: Mapping[str, Mapping[str, Mapping[str, Floats]]],
) -> None:
    """Write every poem with its measures, one a line."""
    with path.open("w", encoding="utf-8") as file:
        for kind, orders in kinds.items():
            for method, poems in texts[kind].items():
                for place, (order, poem) in enumerate(zip(orders, poems, strict=True)):
                    values = {name: float(results[kind][method][name][place]) for name in MEASURES}
                    row = {"kind": kind, "method": method, "title": order.prompt, "text": poem, **values}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
