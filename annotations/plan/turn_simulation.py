"""What simulated evaluators say of the single turns of dialogues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from annotations.models import Criterion, Enrolment, PageCandidate, Study, TurnRating
from stats.scores import Floats

# Standard deviation of a turn's score about that of the whole, in points of a scale from 1 to 10.
NOISE = 1.2

# Criterion (key), turn and score, by evaluator, page and method, as places.
Turn = tuple[str, int, int]
SimulatedTurns = Mapping[tuple[int, int, int], Sequence[Turn]]


def simulated_turns(
    study: Study,
    candidates: Sequence[Mapping[int, int]],
    latent: Floats,
    criteria: Sequence[Criterion],
    *,
    seed: int,
) -> SimulatedTurns:
    """Return what evaluators to whom texts are worth so much (E, P, M, C) say of their turns; `candidates` by page.

    With one query, none where no criterion rates turns.
    """
    rating = [place for place, one in enumerate(criteria) if one.rates_turns and not one.derived]
    if not rating:
        return {}
    turns = dict(
        PageCandidate.objects.filter(page__subtask__study=study, turns__gt=0).values_list(
            "candidate_id", "turns"
        )
    )
    # Beside the draws of everything else, which are the same without turns.
    rng = np.random.default_rng([seed, 2])
    found: dict[tuple[int, int, int], list[Turn]] = {}
    for page, of_page in enumerate(candidates):
        for method, candidate in of_page.items():
            for place in rating if candidate in turns else ():
                scale = criteria[place]
                whole = latent[:, page, method, place]
                said = whole[:, np.newaxis] + NOISE * rng.standard_normal((len(latent), turns[candidate]))
                points = np.rint(scale.minimum + (said - 1) * (scale.maximum - scale.minimum) / 9)
                for (evaluator, turn), score in np.ndenumerate(np.clip(points, scale.minimum, scale.maximum)):
                    found.setdefault((evaluator, page, method), []).append((scale.key, turn + 1, int(score)))
    return found


def turn_ratings(
    enrolment: Enrolment, candidate: int, criteria: Sequence[Criterion], turns: Sequence[Turn]
) -> Iterator[TurnRating]:
    """Yield the rows of what an evaluator says of the turns of a text (primary key)."""
    by_key = {one.key: one for one in criteria}
    for key, turn, score in turns:
        yield TurnRating(
            enrolment=enrolment, candidate_id=candidate, criterion=by_key[key], turn=turn, score=score
        )
