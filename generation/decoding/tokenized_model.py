"""What a model's own tokenizer says of texts, wherever the model itself computes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any


class TokenizedModel:
    """A model whose tokenizer is here, as transformers loads it."""

    tokenizer: Any

    def without_marks(self, text: str) -> str:
        # Taking one out may bring another together.
        while any(mark in text for mark in self.marks):
            for mark in self.marks:
                text = text.replace(mark, "")
        return text

    def encode(self, text: str, *, start: bool = False) -> list[int]:
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        first = self.tokenizer.bos_token_id
        return [first, *tokens] if start and first is not None and tokens[:1] != [first] else tokens

    def decode(self, tokens: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def in_dialogue(self, message: str) -> str | None:
        if self.tokenizer.chat_template is None:
            return None
        said = [{"role": "user", "content": message}]
        prompt: str = self.tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        return prompt

    def unknown(self, text: str) -> str:
        unknown = self.tokenizer.unk_token_id
        if unknown is None:
            return ""
        return "".join(
            character
            for character in dict.fromkeys(text)
            if not character.isspace() and unknown in self.encode(character)
        )

    @cached_property
    def marks(self) -> Sequence[str]:
        # Some are special without being known as one: those of an instruct model's first training.
        added = [token.content for token in self.tokenizer.added_tokens_decoder.values() if token.special]
        return sorted({*added, *self.tokenizer.all_special_tokens}, key=len, reverse=True)
