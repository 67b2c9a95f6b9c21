"""How long a machine's answer waits before it is said: as long as people took for one of its length."""

from __future__ import annotations

import math
import random

from django.db.models import F

from turing.models import Turn

# So many of the latest answers by people are looked at, and of these so many that are nearest in length.
LATEST = 1_000
NEAREST = 20
# Before there are so many: a moment to read and think, and so many seconds a character, about which people spread.
THINKING = 2.5
TYPING = {"zh": 0.35, "en": 0.13}
SPREAD = 0.45


def delay_for(length: int, language: str, rng: random.Random) -> float:
    """Return a delay in seconds for an answer of so many characters, drawn from those of people. One query."""
    known = list(
        Turn.objects.filter(side=F("chat__human_side"), answered_at__isnull=False, chat__language=language)
        .order_by("-answered_at")
        .values_list("length", F("answered_at") - F("asked_at"))[:LATEST]
    )
    if len(known) < NEAREST:
        usual = THINKING + length * TYPING["zh" if language.startswith("zh") else "en"]
        return usual * math.exp(rng.gauss(0, SPREAD))
    rng.shuffle(known)
    nearest = sorted(known, key=lambda one: abs((one[0] or 0) - length))[:NEAREST]
    return float(rng.choice(nearest)[1].total_seconds())
