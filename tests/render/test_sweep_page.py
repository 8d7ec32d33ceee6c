"""The page of a sweep: the best job first, whichever way its metric points."""

import re

import pytest

from symbotunes.render.pages.sweep import Row, sweep_page


def row(number, best, mode):
    return Row(
        number=number,
        status="finished",
        settings={"seed": str(number)},
        metric="val/figure",
        best=best,
        step=1,
        tokens_per_second=None,
        peak_gib=None,
        samples=None,
        error=None,
        mode=mode,
    )


@pytest.mark.parametrize(("mode", "order"), [("min", ["1", "2", "0"]), ("max", ["0", "2", "1"])])
def test_the_best_job_comes_first(mode, order):
    rows = [row(number, best, mode) for number, best in enumerate((0.9, 0.1, 0.5))]
    body = sweep_page("sweep", ["seed"], rows).partition("<tbody>")[2]
    assert re.findall(r"<tr><td>(\d)</td>", body) == order
