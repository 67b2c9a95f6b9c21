"""What guiding, reranking by a judge and automatic neighbours do to the relevance of poems for modern titles.

    python -m benchmarks.generation.relevance_arms [--titles 40] [--corpus var/corpus/poems.jsonl]
    python -m benchmarks.generation.relevance_arms --file fixtures/titles/tuning.json   # what weights were chosen on

Arms, each beside inverse prompting with the same seeds:

- guided: the search that other embeddings guide (`guided_search`), which share nothing with those that judge;
- reranked: the final beams of inverse prompting, of which the one nearest to its title by embeddings is taken;
- neighbours: the titles of old poems nearest to the title by embeddings stand beside it as what the poem is about, so
  that the inverse prompt asks for them too;
- both.

Ranks are the place of a poem's own title among all titles, 1 is best. By embeddings the last three are tuned to
the judge: what counts for them is the rank by the translation of characters, which none has seen. The title's
characters that stand in the poem are counted too.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from generation.decoding.methods import compose_many
from generation.decoding.plain_model import load_plain
from generation.engines.model_library import VERSE, folder_of
from generation.evidence.embeddings import JUDGE, embedder, similarities, standardised
from generation.evidence.titles import load_titles
from generation.evidence.translation import Floats, ranks, train_judge
from generation.orders import Order, Written
from generation.verse.corpus import Poem, load_corpus

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "fixtures" / "modern-poems.jsonl"
NEIGHBOURS, MOST_CANDIDATES, LONGEST = 2, 1000, 4
# Titles that are written side by side: more take more memory and are hardly faster.
BATCH = 4
FORMS = ("jueju5", "jueju7", "lushi5", "lushi7")


def shipped() -> tuple[list[str], list[str]]:
    """Return the modern titles, and all poems that were written for them: what a title's similarity is set against."""
    rows = [json.loads(line) for line in SHIPPED.read_text(encoding="utf-8").splitlines()]
    return list(dict.fromkeys(row["prompt"] for row in rows)), [row["text"] for row in rows]


def old_titles(poems: Sequence[Poem]) -> list[str]:
    """Return short titles of old poems, the commonest first."""
    counted = Counter(poem.title for poem in poems if 2 <= len(poem.title) <= LONGEST)
    return [title for title, _ in counted.most_common(MOST_CANDIDATES)]


def neighbours(titles: Sequence[str], candidates: Sequence[str]) -> list[str]:
    """Return for each title the candidates that are nearest to it, as a description."""
    near = embedder().query(list(titles)) @ embedder().passage(list(candidates)).T  # (titles, candidates)
    return ["、".join(candidates[place] for place in np.argsort(-row)[:NEIGHBOURS]) for row in near]


def reranked(written: Written, title: str) -> str:
    texts = [written.best.text, *(one.text for one in written.runners_up)]
    return texts[int(similarities(texts, [title])[:, 0].argmax())]


def copied(text: str, title: str) -> float:
    return sum(character in text for character in title) / len(title)


def written_arms(orders: Sequence[Order], candidates: Sequence[str]) -> dict[str, list[str]]:
    """Return the poems of each arm by title."""
    model = load_plain(Path(folder_of(VERSE)))
    titles = [order.prompt for order in orders]
    about = [
        replace(order, description=words)
        for order, words in zip(orders, neighbours(titles, candidates), strict=True)
    ]
    arms = {}
    guided = [replace(order, method="guided_search") for order in orders]
    for name, own in (("inverse prompting", orders), ("guided", guided), ("neighbours", about)):
        found = [
            one
            for start in range(0, len(own), BATCH)
            for one in compose_many(model, own[start : start + BATCH])
        ]
        arms[name] = [one.best.text for one in found]
        if name == "guided":
            continue
        other = "reranked" if name == "inverse prompting" else "both"
        arms[other] = [reranked(one, title) for one, title in zip(found, titles, strict=True)]
    return arms


def ranks_by_embeddings(
    arms: Mapping[str, list[str]], titles: Sequence[str], background: list[str]
) -> dict[str, Floats]:
    texts = [text for own in arms.values() for text in own]
    scores = standardised(similarities([*texts, *background], titles))
    return of_arms(scores[: len(texts)], arms)


def of_arms(scores: Floats, arms: Mapping[str, list[str]]) -> dict[str, Floats]:
    """Return the ranks of each arm; the first titles are those of its poems."""
    count = len(next(iter(arms.values())))
    return {
        name: ranks(scores[place * count : (place + 1) * count], range(count))
        for place, name in enumerate(arms)
    }


def show(judge: str, found: Mapping[str, Floats]) -> None:
    base = found["inverse prompting"]
    print(f"rank by {judge}")
    for name, own in found.items():
        difference = own - base
        error = difference.std(ddof=1) / len(difference) ** 0.5
        told = "" if own is base else f"   {difference.mean():+5.1f} ± {error:.1f}"
        print(f"  {name:<18} {own.mean():5.1f}{told}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--titles", type=int, default=40)
    parser.add_argument(
        "--file", type=Path, help="titles to write for, ranked among these and the modern ones"
    )
    parser.add_argument("--form", choices=FORMS, help="one form for all (default: the four in turn)")
    parser.add_argument("--preset", default="poem")
    parser.add_argument("--corpus", type=Path, default=ROOT / "var" / "corpus" / "poems.jsonl")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    titles, background = shipped()
    if options.file:
        titles = [*load_titles(options.file), *titles]
    poems = load_corpus(options.corpus)
    orders = [
        Order(
            "inverse_prompting",
            "poem",
            title,
            form=options.form or FORMS[place % len(FORMS)],
            preset=options.preset,
            seed=options.seed + place,
        )
        for place, title in enumerate(titles[: options.titles])
    ]
    arms = written_arms(orders, old_titles([poem for poem in poems if poem.part == "train"]))
    show(JUDGE, ranks_by_embeddings(arms, titles, background))
    print("share of the title's characters in the poem")
    for name, own in arms.items():
        print(f"  {name:<18} {np.mean(list(map(copied, own, titles))):5.2f}")
    texts = [text for own in arms.values() for text in own]
    show("translation of characters", of_arms(train_judge(poems).scores(texts, titles), arms))


if __name__ == "__main__":
    main()
