"""Numbers that become one."""

from __future__ import annotations

import numpy as np

from sketch2paint.hints.sets import root, roots, unite


def test_sets_are_those_of_a_naive_partition() -> None:
    rng = np.random.default_rng(0)
    parents, naive = list(range(60)), [{number} for number in range(60)]
    for one, other in rng.integers(0, 60, (45, 2)).tolist():
        unite(parents, one, other)
        both = naive[one] | naive[other]
        for number in both:
            naive[number] = both
    assert roots(parents) == [min(naive[number]) for number in range(60)]
    assert all(root(parents, number) == min(naive[number]) for number in range(60))
