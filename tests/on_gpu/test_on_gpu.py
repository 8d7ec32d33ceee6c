"""The checks of ``check.py``: all of them where there is a CUDA device, some of them on the CPU."""

import json

import pytest
import torch

from tests.on_gpu import check


@pytest.mark.slow("trains every network in three precisions")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("run", check.CHECKS, ids=lambda run: run.__name__)
def test_a_cuda_device_does_what_the_cpu_does(run):
    assert list(run("cuda", 200))


@pytest.mark.slow("trains several small networks")
@pytest.mark.parametrize(
    "run",
    [check.check_cache, check.check_packing, check.check_resume],
    ids=lambda run: run.__name__,
)
def test_the_checks_themselves_hold_on_the_cpu(run):
    assert list(run("cpu", 5))


def test_losses_of_every_network_are_kept():
    kept = json.loads(check.EXPECTED.read_text())
    assert set(kept) == {"steps", *check.SEQUENCES, *check.WINDOWS}
    for name, (first, last) in {**kept, "steps": (2, 1)}.items():
        assert last < first, f"{name} did not learn"
