import csv

import pytest
import torch

from symbotunes.training.callbacks.curves import Curves
from symbotunes.training.callbacks.peak import (
    card_flops,
    measured_flops,
    peak_flops,
    product_dtype,
)
from symbotunes.training.callbacks.vitals import Vitals
from symbotunes.training.loggers.csv import RunCsvLogger


def rows(run_dir) -> list[dict[str, str]]:
    with (run_dir / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_vitals_stand_in_the_row_of_the_loss(fit, run_dir):
    logger = RunCsvLogger(run_dir)
    fit(Vitals(), Curves(), logger=logger, log_every_n_steps=2, limit_val_batches=0)
    expected = {
        "step", "seconds", "epoch", "train/loss", "optim/learning_rate", "optim/gradient_norm",
        "speed/tokens_per_second", "speed/mfu",
    }  # fmt: skip
    found = rows(run_dir)
    assert [row["step"] for row in found] == ["2", "4", "6", "8"]
    assert all(set(row) == expected and all(row.values()) for row in found)


def test_the_gradient_norm_is_that_before_clipping(fit, tiny, run_dir):
    """(w x + b)^2 at x has the gradient 2 (w x + b) (x, 1), whose norm is worked out here."""
    model = tiny()
    norms = []

    def note(weight: float, bias: float, x: float) -> None:
        norms.append(abs(2 * (weight * x + bias)) * (x * x + 1) ** 0.5)

    step = model.training_step

    def noting(batch, batch_idx):
        note(model.net.weight.item(), model.net.bias.item(), batch.item())
        return step(batch, batch_idx)

    model.training_step = noting
    fit(Vitals(), model=model, logger=RunCsvLogger(run_dir), log_every_n_steps=1,
        gradient_clip_val=0.01, limit_val_batches=0)  # fmt: skip
    logged = [float(row["optim/gradient_norm"]) for row in rows(run_dir)]
    assert logged == pytest.approx(norms, rel=1e-5)


def test_the_learning_rate_is_that_of_the_step_just_taken(fit, tiny, run_dir):
    class Halving(tiny):
        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=0.5)
            scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
            return [optimizer], [{"scheduler": scheduler, "interval": "step"}]

    fit(Vitals(), model=Halving(), logger=RunCsvLogger(run_dir), log_every_n_steps=1, max_epochs=1,
        limit_val_batches=0)  # fmt: skip
    assert [row["optim/learning_rate"] for row in rows(run_dir)] == [
        "0.5",
        "0.25",
        "0.125",
        "0.0625",
    ]


def test_utilisation_is_six_operations_per_parameter_and_token_over_the_peak(fit, run_dir):
    peaks = []

    def peak(device: torch.device, precision: str) -> float:
        peaks.append((device.type, precision))
        return 1e6

    fit(Vitals(peak), logger=RunCsvLogger(run_dir), log_every_n_steps=2, limit_val_batches=0)
    for row in rows(run_dir):  # 2 parameters
        rate = float(row["speed/tokens_per_second"])
        assert float(row["speed/mfu"]) == pytest.approx(6 * 2 * rate / 1e6, rel=1e-6)
    assert peaks == [("cpu", "32-true")]  # asked for once


def test_an_unknown_device_has_a_speed_and_no_utilisation(fit, run_dir):
    vitals = Vitals(lambda device, precision: None)
    fit(vitals, logger=RunCsvLogger(run_dir), log_every_n_steps=2, limit_val_batches=0)
    assert "speed/mfu" not in rows(run_dir)[0]
    assert float(rows(run_dir)[0]["speed/tokens_per_second"]) > 0
    assert vitals.peak_tflops is None


def test_accumulated_batches_are_one_step(fit, run_dir):
    fit(Vitals(), logger=RunCsvLogger(run_dir), log_every_n_steps=1, accumulate_grad_batches=2,
        limit_val_batches=0)  # fmt: skip
    found = rows(run_dir)
    assert [row["step"] for row in found] == ["0", "1", "2", "3"]
    assert all(row["speed/tokens_per_second"] and row["optim/gradient_norm"] for row in found)


def test_without_a_logger_nothing_is_measured(fit):
    fit(Vitals(lambda device, precision: pytest.fail("the peak was measured")))


@pytest.mark.parametrize(
    ("name", "dtype", "tflops"),
    [
        ("NVIDIA H100 80GB HBM3", torch.bfloat16, 989.4),
        ("NVIDIA H100 PCIe", torch.bfloat16, 756.0),
        ("NVIDIA A100-SXM4-80GB", torch.bfloat16, 312.0),
        ("NVIDIA A100-SXM4-80GB", torch.float32, 19.5),
        ("NVIDIA A10", torch.float16, 125.0),
        ("NVIDIA GeForce RTX 4090", torch.bfloat16, 165.2),
        ("NVIDIA RTX 6000 Ada Generation", torch.bfloat16, 364.2),
        ("Tesla V100-SXM2-16GB", torch.float16, 125.0),
    ],
)
def test_the_peak_of_a_card_is_that_of_its_data_sheet_without_sparsity(name, dtype, tflops):
    assert card_flops(name, dtype) == pytest.approx(1e12 * tflops)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("NVIDIA A10G", torch.bfloat16),  # another card than the A10
        ("NVIDIA GeForce RTX 4090 Laptop GPU", torch.bfloat16),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", torch.bfloat16),  # a part of a card
        ("Tesla V100-SXM2-16GB", torch.bfloat16),  # which it has no units for
        ("NVIDIA H100 80GB HBM3", torch.float64),
    ],
)
def test_a_card_that_the_table_does_not_have_has_no_peak(name, dtype):
    assert card_flops(name, dtype) is None


def test_float32_runs_in_tf32_where_torch_was_told_so(monkeypatch):
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "high")
    assert card_flops("NVIDIA A100-SXM4-80GB", torch.float32) == 156e12


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("bf16-mixed", torch.bfloat16),
        ("bf16-true", torch.bfloat16),
        ("16-mixed", torch.float16),
        ("32-true", torch.float32),
        ("64-true", torch.float64),
    ],
)
def test_products_have_the_type_of_the_training(precision, dtype):
    assert product_dtype(precision) is dtype


def test_a_cpu_is_measured_without_drawing_random_numbers():
    before = torch.get_rng_state()
    assert 1e8 < measured_flops(torch.float32) < 1e15
    assert torch.equal(torch.get_rng_state(), before)


def test_a_device_of_another_kind_has_no_peak():
    assert peak_flops(torch.device("mps"), "32-true") is None
