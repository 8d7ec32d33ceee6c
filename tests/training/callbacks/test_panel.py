from typing import Any

import lightning
import pytest
import torch

from symbotunes.generation.sample import Composition
from symbotunes.training.callbacks import panel
from symbotunes.training.callbacks.panel import SamplePanel


@pytest.fixture
def drawn(monkeypatch) -> list[dict[str, Any]]:
    """Replaces drawing and writing by notes of what was asked for."""
    calls: list[dict[str, Any]] = []

    def draw(net: Any, plan: Any, *, tokenizer: Any, seed: int) -> Composition:
        torch.rand(3)  # as careless as a sampler could be
        calls.append({"training": net.training, "seed": seed, "num": plan.num})
        assert plan.constraint is None  # panels show what the model has learned
        return Composition(())

    def write(folder: Any, samples: Any, *, heading: str, facts: Any) -> None:
        calls[-1] |= {"folder": folder.name, "heading": heading}

    monkeypatch.setattr(panel, "compose", draw)
    monkeypatch.setattr(panel, "write_gallery", write)
    monkeypatch.setattr(SamplePanel, "_tokenizer", staticmethod(lambda trainer: None), raising=True)
    return calls


def test_panels_are_drawn_before_training_every_n_steps_and_at_the_end(fit, drawn):
    fit(SamplePanel(every_n_steps=3, num=2, seed=5))
    steps = ["step_000000", "step_000003", "step_000006", "step_000008"]
    assert [call["folder"] for call in drawn] == steps
    assert {(call["seed"], call["num"]) for call in drawn} == {(5, 2)}
    assert drawn[1]["heading"] == "Samples at step 3"


def test_the_end_is_not_drawn_twice(fit, drawn):
    fit(SamplePanel(every_n_steps=4))
    assert [call["folder"] for call in drawn] == ["step_000000", "step_000004", "step_000008"]


def test_accumulated_batches_draw_one_panel_per_step(fit, drawn):
    fit(SamplePanel(every_n_steps=1), accumulate_grad_batches=2, max_epochs=1)
    assert [call["folder"] for call in drawn] == ["step_000000", "step_000001", "step_000002"]


def test_drawing_is_in_eval_mode_and_leaves_modes_as_they_were(fit, tiny, drawn):
    class Look(lightning.Callback):
        modes: list[tuple[bool, bool]] = []

        def on_train_batch_start(self, trainer: Any, module: Any, *_: Any) -> None:
            self.modes.append((module.training, module.frozen.training))

    model, look = tiny(), Look()
    model.frozen = torch.nn.Dropout().eval()  # a part that its owner keeps in eval mode
    fit(SamplePanel(every_n_steps=1), look, model=model)
    assert not any(call["training"] for call in drawn)
    assert set(look.modes) == {(True, False)}


def test_drawing_does_not_change_the_random_numbers_of_training(fit, tiny, drawn, monkeypatch):
    class Noisy(tiny):
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return super().training_step(batch + torch.rand(1), batch_idx)

    def seeded() -> Noisy:
        torch.manual_seed(0)
        return Noisy()

    def broken(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    _, without = fit(model=seeded())
    _, panelled = fit(SamplePanel(every_n_steps=1), model=seeded())
    monkeypatch.setattr(panel, "write_gallery", broken)
    with pytest.warns(UserWarning, match="no sample panel"):
        _, failed = fit(SamplePanel(every_n_steps=1), model=seeded())
    torch.testing.assert_close(panelled.net.weight, without.net.weight, rtol=0, atol=0)
    torch.testing.assert_close(failed.net.weight, without.net.weight, rtol=0, atol=0)


def test_a_failure_is_a_warning_that_names_the_step(fit, drawn, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(panel, "write_gallery", broken)
    with pytest.warns(UserWarning, match="no sample panel at step 4: No space left on device"):
        trainer, model = fit(SamplePanel(every_n_steps=4))
    assert (trainer.global_step, model.training) == (8, True)


def test_fast_dev_run_draws_nothing(fit, drawn):
    fit(SamplePanel(every_n_steps=1), fast_dev_run=2)
    assert drawn == []
