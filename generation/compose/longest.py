"""How long the words of an order may be: for the pages of composing and its command alike."""

from __future__ import annotations

from django.utils.translation import gettext as _

from generation.orders import LONGEST, Order, OrderRefused
from generation.texts.characters import UNSTORABLE

LONGEST_TUNE = 20
LONGEST_ABOUT = 30
LONGEST_HEADS = 40
LARGEST_SEED = 2**63 - 1


def check_order(order: Order) -> None:
    """Raise `OrderRefused` for words that are too long or cannot be stored, and for a seed out of its bounds."""
    subject = "question" if order.genre == "qa" else "title"
    words = {
        subject: (order.prompt, LONGEST[subject]),
        "description": (order.description, LONGEST["description"]),
        "author": (order.author, LONGEST["author"]),
        "tune": (order.tune, LONGEST_TUNE),
        "heads": (order.heads, LONGEST_HEADS),
    }
    if not order.prompt.strip():
        raise OrderRefused(f"{subject}: " + _("There is no word in it."))
    for name, (text, longest) in words.items():
        if len(text) > longest:
            raise OrderRefused(
                f"{name}: "
                + _("This is %(length)d characters long; at most %(longest)d are possible.")
                % {"length": len(text), "longest": longest}
            )
        if UNSTORABLE.search(text):
            raise OrderRefused(f"{name}: " + _("This text has a character that is none."))
    if not 0 <= order.seed <= LARGEST_SEED:
        raise OrderRefused(
            "seed: " + _("The seed must be a whole number from 0 to %(most)d.") % {"most": LARGEST_SEED}
        )
