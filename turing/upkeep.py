"""What has to be done for the game now and then; every worker does it every few seconds (evalsite/celery.py)."""

from __future__ import annotations

from generation.web.quotas import forget_whole
from turing.pairs.pairing import pair_finished
from turing.results.counting import count_answers


def poll() -> None:
    """Pair what has been written, count what has been answered, forget what is over."""
    pair_finished()
    count_answers()
    forget_whole()
