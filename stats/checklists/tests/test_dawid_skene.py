"""The consensus of observers with errors of their own, by the example of the paper."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stats.checklists.dawid_skene import dawid_skene

# Dawid and Skene (1979), table 1: 45 patients by five anaesthetists, the first of whom saw each three times.
PATIENTS = """
1111111 3334343 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 1211111
1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
# By whom each of the seven answers is.
OBSERVERS = [0, 0, 0, 1, 2, 3, 4]


def test_the_anaesthetists_of_the_paper_agree_on_its_table() -> None:
    said = np.array([[int(digit) - 1 for digit in patient] for patient in PATIENTS.split()])
    unit, seen = np.indices(said.shape)
    found = dawid_skene(unit.ravel(), np.array(OBSERVERS)[seen.ravel()], said.ravel(), classes=4)
    # Table 4 of the paper, to its two decimals; a second implementation, to four.
    assert found.shares == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.005)
    assert found.shares == pytest.approx([0.3996, 0.4220, 0.1118, 0.0667], abs=0.0001)
    # The likelihood written out: of each patient the sum over the classes of what all answers are then worth.
    by_patient = [
        sum(
            found.shares[true]
            * math.prod(found.errors[by, true, answer] for by, answer in zip(OBSERVERS, row, strict=True))
            for true in range(4)
        )
        for row in said
    ]
    assert found.log_likelihood == pytest.approx(sum(map(math.log, by_patient)))
    observer_1 = [[0.889, 0.111, 0, 0], [0.071, 0.876, 0.053, 0], [0, 0.339, 0.661, 0], [0, 0, 0.556, 0.444]]
    assert found.errors[0] == pytest.approx(np.array(observer_1), abs=0.001)
    assert found.posterior.sum(axis=1) == pytest.approx(np.ones(45))


def test_who_is_always_right_outweighs_two_who_guess() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 400)
    noise = rng.random((4, 400)) < np.array([[0.02], [0.05], [0.45], [0.45]])
    said = np.where(noise, 1 - truth, truth)
    observer, unit = np.indices(said.shape)
    found = dawid_skene(unit.ravel(), observer.ravel(), said.ravel(), classes=2)
    majority = said.mean(axis=0) > 0.5
    assert (found.most_likely == truth).mean() > 0.94 > (majority == truth).mean()


def test_nothing_said_has_no_consensus() -> None:
    nothing = np.empty(0, dtype=np.int64)
    with pytest.raises(ValueError, match="at least one answer"):
        dawid_skene(nothing, nothing, nothing, classes=2)
