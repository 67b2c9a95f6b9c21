"""
The Rasch model of the game: logit P(right) = skill of the player - difficulty of the pair.

Skills are normal; difficulties are found by marginal likelihood, the skills integrated out over 61 nodes, and each
skill is then the mean of its posterior (empirical Bayes). There is no guessing floor: a player may be below one half.

References: Bock and Aitkin (1981), Psychometrika 46, 443-459; Rizopoulos (2006), J. Statistical Software 17(5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from stats.mixed import Interval
from stats.scores import Bools, Floats, Ints

NODES = 61
# So many standard deviations to either side: what lies beyond has a share of 6e-7.
REACH = 5.0
LEAST_SPREAD, MOST_SPREAD = 0.01, 10.0
# The difficulties' own spread is found by turns; it settles quickly.
TURNS = 4
LEAST_DIFFICULTY_SPREAD = 0.05
CHUNK = 50_000


@dataclass(frozen=True, eq=False)
class RaschFit:
    """
    Skills (P,) and difficulties (I,) in logits with their standard errors.

    `players` and `pairs` hold the numbers they stand for, in order. Skills have a mean of 0 and the standard deviation
    `spread`. `difficulty_spread` is None where the difficulties were not shrunken.
    """

    players: Ints
    pairs: Ints
    skill: Floats
    skill_se: Floats
    answered: Ints
    difficulty: Floats
    difficulty_se: Floats
    played: Ints
    spread: float
    difficulty_spread: float | None
    log_likelihood: float

    def expected_right(self, players: Ints, pairs: Ints) -> Floats:
        """Return the probability of a right answer in each round, (N,), at the posterior means."""
        skill = self.skill[np.searchsorted(self.players, players)]
        chance: Floats = scipy.special.expit(skill - self.difficulty[np.searchsorted(self.pairs, pairs)])
        return chance


@dataclass(frozen=True, eq=False)
class Start:
    """Where to begin: the difficulties of some pairs and the spread of skills, as the last fit had them."""

    pairs: Ints
    difficulty: Floats
    spread: float


def normal_interval(value: float, se: float, confidence_level: float = 0.95) -> Interval:
    """Return the interval of a skill or a difficulty."""
    z = float(scipy.special.ndtri((1 + confidence_level) / 2))
    return value - z * se, value + z * se


@dataclass(frozen=True, eq=False)
class _Answers:
    """The answers as what the likelihood needs of them: who answered what how often, and the right ones of each."""

    asked: scipy.sparse.csr_array  # (P, I)
    right_of_player: Floats
    right_of_pair: Floats

    @property
    def pairs(self) -> int:
        return len(self.right_of_pair)


def fit_rasch(
    players: Ints,
    pairs: Ints,
    right: Bools,
    *,
    shrink: bool = True,
    start: Start | None = None,
) -> RaschFit:
    """
    Fit the model to answers, all (N,); `players` and `pairs` number them in any way.

    With `shrink` the difficulties are normal, too, and drawn towards their mean: a pair with nothing but right answers
    then has a difficulty. Without, every pair must have a right and a wrong answer. Raises ValueError without answers.
    """
    if not len(right):
        raise ValueError("there must be at least one answer")
    player_keys, player = np.unique(players, return_inverse=True)
    pair_keys, pair = np.unique(pairs, return_inverse=True)
    counted = scipy.sparse.coo_array((np.ones(len(right)), (player, pair)))
    answers = _Answers(
        counted.tocsr(),
        np.bincount(player, right, len(player_keys)).astype(np.float64),
        np.bincount(pair, right, len(pair_keys)).astype(np.float64),
    )
    played = np.bincount(pair, minlength=len(pair_keys))
    shares = (answers.right_of_pair + 0.5) / (played + 1)
    difficulty, spread = -scipy.special.logit(shares), 0.7
    if start is not None and len(start.pairs):
        place = np.minimum(np.searchsorted(start.pairs, pair_keys), len(start.pairs) - 1)
        known = start.pairs[place] == pair_keys
        difficulty[known], spread = start.difficulty[place[known]], start.spread
    middle, difficulty_spread = float(difficulty.mean()), 0.7 if shrink else math.inf
    se = np.zeros(len(difficulty))
    for _ in range(TURNS if shrink else 1):
        difficulty, spread = _maximise(answers, difficulty, spread, middle, difficulty_spread)
        posterior, nodes, log_likelihood = _posterior(answers, difficulty, spread)
        se = _difficulty_errors(answers, posterior, nodes, difficulty, difficulty_spread)
        if shrink:
            middle = float(difficulty.mean())
            variance = float(np.mean((difficulty - middle) ** 2 + se**2))
            difficulty_spread = max(math.sqrt(variance), LEAST_DIFFICULTY_SPREAD)
    skill = posterior @ nodes
    variance_of_skill = np.maximum(posterior @ nodes**2 - skill**2, 0.0)
    return RaschFit(
        players=player_keys,
        pairs=pair_keys,
        skill=skill,
        skill_se=np.sqrt(variance_of_skill),
        answered=np.bincount(player, minlength=len(player_keys)),
        difficulty=difficulty,
        difficulty_se=se,
        played=played,
        spread=spread,
        difficulty_spread=difficulty_spread if shrink else None,
        log_likelihood=log_likelihood,
    )


def _maximise(
    answers: _Answers, difficulty: Floats, spread: float, middle: float, difficulty_spread: float
) -> tuple[Floats, float]:
    """Return the difficulties and the spread of skills of the highest (penalised) marginal likelihood."""
    precision = 0.0 if math.isinf(difficulty_spread) else 1 / difficulty_spread**2

    def negative(parameters: Floats) -> tuple[float, Floats]:
        b, sigma = parameters[:-1], math.exp(parameters[-1])
        posterior, nodes, log_likelihood = _posterior(answers, b, sigma)
        chance = scipy.special.expit(nodes - b[:, np.newaxis])  # (I, K)
        weight = answers.asked.T @ posterior  # (I, K)
        by_difficulty = np.sum(weight * chance, axis=1) - answers.right_of_pair
        # d/d log sigma of log p(answers | node) with the nodes moving along: node times its slope.
        slope = answers.right_of_player[:, np.newaxis] - answers.asked @ chance
        by_spread = float(np.sum(posterior * slope * nodes))
        rest = b - middle
        value = log_likelihood - precision * float(rest @ rest) / 2
        return -value, -np.append(by_difficulty - precision * rest, by_spread)

    limits = [(None, None)] * len(difficulty) + [(math.log(LEAST_SPREAD), math.log(MOST_SPREAD))]
    found = scipy.optimize.minimize(
        negative,
        np.append(difficulty, math.log(spread)),
        jac=True,
        method="L-BFGS-B",
        bounds=limits,
        options={"maxiter": 300, "ftol": 1e-12, "gtol": 1e-6 * max(1.0, len(answers.right_of_player) / 1000)},
    )
    return found.x[:-1], math.exp(found.x[-1])


def _posterior(answers: _Answers, difficulty: Floats, spread: float) -> tuple[Floats, Floats, float]:
    """Return each player's posterior over the nodes (P, K), the nodes (K,), and the marginal log likelihood."""
    standard = np.linspace(-REACH, REACH, NODES)
    prior = np.exp(-(standard**2) / 2)
    nodes = spread * standard
    lost = np.logaddexp(0.0, nodes - difficulty[:, np.newaxis])  # (I, K)
    log_joint = (
        np.multiply.outer(answers.right_of_player, nodes) - answers.asked @ lost + np.log(prior / prior.sum())
    )
    highest = log_joint.max(axis=1, keepdims=True)
    posterior = np.exp(log_joint - highest)
    total = posterior.sum(axis=1, keepdims=True)
    posterior /= total
    log_likelihood = float(np.sum(highest + np.log(total)) - answers.right_of_pair @ difficulty)
    return posterior, nodes, log_likelihood


def _difficulty_errors(
    answers: _Answers, posterior: Floats, nodes: Floats, difficulty: Floats, difficulty_spread: float
) -> Floats:
    """
    Return the standard errors of the difficulties, (I,), by Louis's information, each for itself.

    Information = E[P (1 - P)] less the posterior variance of P, summed over answers, plus that of the prior.
    """
    chance = scipy.special.expit(nodes - difficulty[:, np.newaxis])
    information = np.sum((answers.asked.T @ posterior) * chance * (1 - chance), axis=1)
    cells = answers.asked.tocoo()
    for first in range(0, cells.nnz, CHUNK):
        part = slice(first, first + CHUNK)
        of_player, of_pair = posterior[cells.row[part]], chance[cells.col[part]]
        mean = np.einsum("nk,nk->n", of_player, of_pair)
        variance = np.einsum("nk,nk->n", of_player, of_pair**2) - mean**2
        information -= np.bincount(cells.col[part], cells.data[part] ** 2 * variance, answers.pairs)
    if not math.isinf(difficulty_spread):
        information += difficulty_spread**-2
    errors: Floats = 1 / np.sqrt(np.maximum(information, 1e-12))
    return errors
