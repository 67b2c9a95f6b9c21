"""Of many methods that share few pages each pair is compared in brief."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.stats.comparison_speed import judged_table
from stats.analysis import analyse


def test_twelve_methods_are_compared_without_what_fits_each_pair_many_times() -> None:
    table = judged_table(12, 20, 8, 1600, seed=1)
    found = analyse(table, primary="overall", rng=np.random.default_rng(1), planned="page differences")
    assert len(found.comparisons) == 66
    one = found.comparison("overall", "m0", "m11")
    assert one.estimate is not None
    assert one.estimate > 0
    assert one.robustness.cluster_robust is not None
    assert one.robustness.cluster_robust.p == pytest.approx(one.crossed.p or 0, abs=0.05)
    assert (one.robustness.bootstrap, one.robustness.sign_flip_evaluators) == (None, None)
    assert one.leave_one_out.estimate_range is None
    assert one.effect.d_total is not None


def test_few_methods_are_compared_in_full() -> None:
    table = judged_table(4, 12, 8, 600, seed=1)
    found = analyse(table, primary="overall", rng=np.random.default_rng(1), planned="page differences")
    assert found.comparison("overall", "m0", "m3").robustness.bootstrap is not None
