"""Train a model for one step on a file of preferences, with TRL's trainer for its layout.

    python train_one_step.py MODEL LAYOUT FILE

Run by a Python that has TRL (`test_preference_training.py`), which this project does not need. Prints the rows that
were read and the loss.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from typing import Any


def read(path: str, layout: str) -> Any:
    from datasets import load_dataset  # type: ignore[import-not-found,unused-ignore]

    rows = load_dataset("json", data_files=path, split="train")
    if layout == "ranked":
        # The best text of each order before the last one, as trainers on pairs read lists.
        rows = rows.map(lambda row: {"chosen": row["completions"][0], "rejected": row["completions"][-1]})
    return rows.select_columns(
        ["prompt", "completion", "label"] if layout == "unpaired" else ["prompt", "chosen", "rejected"]
    )


def train(model: str, layout: str, path: str) -> tuple[int, float]:
    import trl  # type: ignore[import-not-found,unused-ignore]
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message['content'] }}{{ eos_token }}{% endfor %}"
    )
    kind = {"pairs": "DPO", "unpaired": "KTO", "ranked": "DPO"}[layout]
    config: Any = getattr(trl, f"{kind}Config", None)
    trainer: Any = getattr(trl, f"{kind}Trainer", None)
    if config is None:
        from trl.experimental import kto  # type: ignore[import-not-found,unused-ignore]

        config, trainer = kto.KTOConfig, kto.KTOTrainer
    rows = read(path, layout)
    with tempfile.TemporaryDirectory() as output:
        run = trainer(
            model=AutoModelForCausalLM.from_pretrained(model),
            args=config(
                output_dir=output,
                max_steps=1,
                per_device_train_batch_size=4,
                max_length=64,
                report_to="none",
                use_cpu=True,
                logging_steps=1,
                save_strategy="no",
            ),
            train_dataset=rows,
            processing_class=tokenizer,
        )
        loss = run.train().training_loss
    return len(rows), loss


if __name__ == "__main__":
    read_rows, training_loss = train(*sys.argv[1:4])
    assert math.isfinite(training_loss)
    sys.stdout.write(json.dumps({"rows": read_rows, "loss": training_loss}) + "\n")
