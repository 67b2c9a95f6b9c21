"""The words of the verse model: single characters, and a token for each form."""

from __future__ import annotations

from collections import Counter

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from generation.verse.corpus import FORMS, Poem

PAD, BOS, EOS, UNKNOWN = "<pad>", "<bos>", "<eos>", "<unk>"
FORM_TOKENS = {form: f"<{form}>" for form in FORMS}
MARKS = "，。？！；、：《》「」"
# A character that stands fewer times than this in the training part could not be learnt.
RAREST = 3


def build_tokenizer(poems: list[Poem]) -> PreTrainedTokenizerFast:
    """Return a tokenizer of single characters: those that stand at least `RAREST` times in the training part."""
    counts = Counter(
        character
        for poem in poems
        if poem.part == "train"
        for character in f"{poem.text}{poem.title}{poem.author}{poem.tune}"
    )
    special = [PAD, BOS, EOS, UNKNOWN, *FORM_TOKENS.values()]
    common = [character for character, count in counts.most_common() if count >= RAREST]
    words = list(dict.fromkeys([*special, *MARKS, *common]))
    tokenizer = Tokenizer(
        models.WordLevel({word: place for place, word in enumerate(words)}, unk_token=UNKNOWN)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNKNOWN,
        additional_special_tokens=list(FORM_TOKENS.values()),
        clean_up_tokenization_spaces=False,
    )
