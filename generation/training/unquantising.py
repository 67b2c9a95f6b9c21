"""Turning a quantised model, a GGUF file, into a folder of safetensors that transformers loads fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig


def unquantise(gguf: Path, output: Path) -> None:
    """Write a GGUF file's weights in half precision, its configuration and its vocabulary into the folder `output`.

    Needs the packages gguf and accelerate.
    """
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model: Any = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.float16,
        quantization_config=GgufConfig(dequantize=True),
    )
    # A GGUF file has no such settings: they are those of the model card of SmolLM2-135M-Instruct.
    model.generation_config.update(do_sample=True, temperature=0.2, top_p=0.9)
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)
    for file in output.iterdir():
        # save_pretrained keeps its files from other users, who are to load them too.
        file.chmod(0o644)


if __name__ == "__main__":
    unquantise(Path(sys.argv[1]), Path(sys.argv[2]))
