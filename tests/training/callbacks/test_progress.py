import re

from lightning.pytorch.callbacks import Timer

from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.progress import TuneProgress
from symbotunes.training.callbacks.speed import TokenRate

# The losses are scripted: 3.0 and 2.0 nats per token.
LINE = re.compile(
    r"step (\d+)/8  epoch \d+  train \d+\.\d{4}  val (\d\.\d{4}) nats/token  [\d,]+ tokens/s"
)


def shown(fit, capsys, progress: TuneProgress, **settings: object) -> str:
    fit(progress, enable_progress_bar=True, **settings)
    return capsys.readouterr().out


def test_a_log_file_gets_lines_with_the_losses(fit, capsys):
    out = shown(fit, capsys, TuneProgress(line_every_seconds=3600))
    found = [LINE.match(line).groups() for line in out.splitlines()]
    assert found == [("4", "3.0000"), ("8", "2.0000")]


def test_a_log_file_gets_a_line_at_every_interval(fit, capsys):
    out = shown(fit, capsys, TuneProgress(line_every_seconds=0), limit_val_batches=0)
    assert [line.split()[1] for line in out.splitlines()] == [f"{n}/8" for n in range(1, 9)]


def test_the_metric_that_decides_is_shown_by_its_name(fit, tiny, capsys):
    class Scored(tiny):
        def on_validation_epoch_end(self) -> None:
            super().on_validation_epoch_end()
            self.log("val/overlap", 0.25 * self.validations)

    keeper = BestAndLast("val/overlap", "max")
    fit(TuneProgress(), keeper, model=Scored(), enable_progress_bar=True)
    lines = capsys.readouterr().out.splitlines()
    found = [
        re.search(r"val (\S+) nats/token  val/overlap (\S+)  ", line).groups() for line in lines
    ]
    assert found == [("3.0000", "0.25"), ("2.0000", "0.5")]


def test_a_terminal_gets_a_bar(fit, capsys):
    out = shown(fit, capsys, TuneProgress(terminal=True))
    assert "step 8/8" in out
    assert "val 2.0000 nats/token" in out


def test_max_steps_limits_the_total(fit, capsys):
    out = shown(fit, capsys, TuneProgress(), max_epochs=-1, max_steps=3)
    assert out.splitlines()[-1].startswith("step 3/3")


def test_max_time_limits_the_time_left(fit, capsys):
    fit(TuneProgress(line_every_seconds=0), Timer(duration={"seconds": 50}), max_epochs=-1,
        max_steps=6, enable_progress_bar=True, limit_val_batches=0)  # fmt: skip
    left = [line.split()[-2] for line in capsys.readouterr().out.splitlines()]
    assert all(re.fullmatch(r"0:00:[0-5]\d", time) for time in left)


def test_a_run_without_a_limit_of_steps_shows_no_total(fit, capsys):
    fit(TuneProgress(line_every_seconds=0), Timer(duration={"seconds": 0.05}), max_epochs=-1,
        enable_progress_bar=True, limit_val_batches=0)  # fmt: skip
    assert re.match(r"step 1  epoch 0", capsys.readouterr().out)


def test_fast_dev_run_does_not_crash(fit, capsys):
    out = shown(fit, capsys, TuneProgress(), fast_dev_run=2)
    assert out.splitlines()[-1].startswith("step 2/2")


def test_pauses_do_not_count_as_training_time():
    clock = [0.0]
    rate = TokenRate(now=lambda: clock[0])
    rate.start(tokens=100)
    clock[0] = 10.0
    rate.pause()
    clock[0] = 70.0
    rate.resume()
    clock[0] = 80.0
    assert (rate.seconds, rate.tokens_per_second(500)) == (20.0, 20.0)
