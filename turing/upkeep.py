"""What has to be done for the game now and then; every worker does it every few seconds (evalsite/celery.py)."""

from __future__ import annotations

from generation.web.quotas import forget_whole
from turing.live import answering, verdicts
from turing.pairs.pairing import pair_finished
from turing.results.counting import count_answers


def poll() -> None:
    """Pair what has been written, count what has been answered and measure it, forget what is over."""
    # Loaded where it is used: what computes takes longer to load than all the rest.
    from turing.live.results import measure_live
    from turing.results.measuring import measure_changed

    answering.poll()
    verdicts.publish_finished()
    verdicts.forget_old()
    pair_finished()
    count_answers()
    measure_changed()
    measure_live()
    forget_whole()
