import copy

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.training.optimizers import GroupedAdamW, RMSprop, zero_exploded
from symbotunes.training.schedules import (
    ExponentialFloor,
    FolkRnnDecay,
    LinearDecay,
    WarmupCosine,
    WarmupRsqrt,
)


def parameter(*values):
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))


def test_two_steps_by_hand():
    weight = parameter(1.0)
    optimizer = RMSprop([weight], lr=0.1, rho=0.9, eps=1e-2)
    weight.grad = torch.tensor([2.0], dtype=torch.float64)
    optimizer.step()
    # v = 0.1 * 4 = 0.4; step 0.1 * 2 / sqrt(0.41)
    assert weight.item() == pytest.approx(1 - 0.2 / 0.41**0.5)
    before = weight.item()
    weight.grad = torch.tensor([-1.0], dtype=torch.float64)
    optimizer.step()
    # v = 0.9 * 0.4 + 0.1 = 0.46
    assert weight.item() == pytest.approx(before + 0.1 / 0.47**0.5)


def test_epsilon_stands_inside_the_root():
    inside, outside = parameter(0.0), parameter(0.0)
    ours = RMSprop([inside], lr=1.0, rho=0.0, eps=1e-6)
    torchs = torch.optim.RMSprop([outside], lr=1.0, alpha=0.0, eps=1e-6)
    for weight, optimizer in ((inside, ours), (outside, torchs)):
        weight.grad = torch.tensor([1e-3], dtype=torch.float64)
        optimizer.step()
    assert inside.item() == pytest.approx(-(0.5**0.5))
    assert outside.item() == pytest.approx(-1 / 1.001)


def test_parameters_without_gradient_stay():
    used, unused = parameter(1.0), parameter(1.0)
    optimizer = RMSprop([used, unused])
    used.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    assert unused.item() == 1.0
    assert used.item() < 1.0


def test_a_restored_optimizer_goes_on_bit_for_bit(tmp_path):
    def run(weight, optimizer, steps):
        for step in steps:
            weight.grad = torch.sin(weight.detach() + step)
            optimizer.step()

    whole = parameter(0.3, -0.7)
    optimizer = RMSprop([whole], lr=0.01)
    run(whole, optimizer, range(5))
    torch.save(optimizer.state_dict(), tmp_path / "state.pt")
    resumed = copy.deepcopy(whole)
    again = RMSprop([resumed], lr=0.5)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    run(whole, optimizer, range(5, 9))
    run(resumed, again, range(5, 9))
    assert torch.equal(whole, resumed)


@pytest.mark.parametrize("bad", [{"lr": -1.0}, {"rho": 1.0}, {"eps": -1e-9}])
def test_constants_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="RMSprop"):
        RMSprop([parameter(1.0)], **bad)


def test_the_intended_decay_begins_after_epoch_20():
    optimizer = RMSprop([parameter(1.0)], lr=0.003)
    schedule = FolkRnnDecay(optimizer)
    rates = []
    for _ in range(24):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:21] == [0.003] * 21
    assert rates[21:] == pytest.approx([0.003 * 0.97, 0.003 * 0.97**2, 0.003 * 0.97**3])


def test_the_schedule_survives_a_checkpoint(tmp_path):
    optimizer = RMSprop([parameter(1.0)])
    schedule = FolkRnnDecay(optimizer, start_epoch=1, factor=0.5)
    torch.save(schedule.state_dict(), tmp_path / "s.pt")
    assert torch.load(tmp_path / "s.pt", weights_only=True)["last_epoch"] == 0


def test_a_linear_decay_ends_at_its_floor_and_stays_there():
    optimizer = RMSprop([parameter(1.0)], lr=1.0)
    schedule = LinearDecay(optimizer, steps=4, floor=0.2)
    rates = []
    for _ in range(7):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2])


def test_only_matrices_are_shrunk():
    matrix = torch.nn.Parameter(torch.ones(2, 2))
    bias = torch.nn.Parameter(torch.ones(2))
    optimizer = GroupedAdamW([bias, matrix], lr=0.1, weight_decay=0.5)
    matrix.grad, bias.grad = torch.zeros(2, 2), torch.zeros(2)
    optimizer.step()
    assert torch.allclose(matrix, torch.full((2, 2), 0.95))  # 1 - 0.1 * 0.5
    assert torch.equal(bias, torch.ones(2))


def rates(scheduler, optimizer, steps):
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_the_rate_rises_in_a_line_and_falls_along_half_a_cosine():
    optimizer = torch.optim.SGD([parameter(1.0)], lr=1.0)
    seen = rates(WarmupCosine(optimizer, 3, 43, floor=0.2), optimizer, 60)
    assert seen[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert seen[23] == pytest.approx(0.6)  # half way from 1 to 0.2
    assert seen[43] == seen[59] == pytest.approx(0.2)


def test_a_short_run_warms_up_for_a_tenth_of_its_steps():
    optimizer = torch.optim.SGD([parameter(1.0)], lr=1.0)
    seen = rates(WarmupCosine(optimizer, 100, 20), optimizer, 3)
    assert seen == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_a_warmup_below_1_is_a_fraction_of_the_run():
    optimizer = torch.optim.SGD([parameter(1.0)], lr=1.0)
    seen = rates(WarmupCosine(optimizer, 0.01, 300, floor=0.0), optimizer, 301)
    assert seen[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert seen[300] == pytest.approx(0.0)


@pytest.mark.parametrize(
    "make", [LinearDecay, lambda optimizer, steps: WarmupCosine(optimizer, 10, steps)]
)
def test_a_schedule_of_no_steps_is_refused(make):
    optimizer = torch.optim.SGD([parameter(1.0)], lr=1.0)
    with pytest.raises(UserError, match="steps=0 must be at least 1: set trainer.max_steps"):
        make(optimizer, steps=0)


def timed_rates(schedule, seconds, *, limit):
    """Rates at the steps of a run that is limited by time, and ends each step at a second."""
    optimizer = schedule.optimizer
    seen = [optimizer.param_groups[0]["lr"]]
    for second in seconds:
        optimizer.step()
        schedule.follow(second / limit)
        schedule.step()
        seen.append(optimizer.param_groups[0]["lr"])
    return seen


def test_without_a_number_of_steps_a_linear_decay_follows_the_time():
    optimizer = torch.optim.SGD([parameter(1.0)], lr=1.0)
    schedule = LinearDecay(optimizer, steps=None, floor=0.2)
    # The speed changes, and the last step ends late: the rate is that of the time that has passed.
    seen = timed_rates(schedule, [1, 2, 3, 6, 9, 10, 11], limit=10)
    assert seen == pytest.approx([1.0, 0.92, 0.84, 0.76, 0.52, 0.28, 0.2, 0.2])


@pytest.mark.parametrize("warmup", [100, 0.1])
def test_without_a_number_of_steps_a_cosine_rises_for_a_tenth_of_the_time_at_most(warmup):
    optimizer = torch.optim.SGD([parameter(1.0)], lr=1.0)
    schedule = WarmupCosine(optimizer, warmup, steps=None, floor=0.2)
    seen = timed_rates(schedule, range(1, 101), limit=100)  # a second for each step
    assert seen[1:11] == pytest.approx([(step + 1) / 11 for step in range(1, 11)])
    assert max(seen) == pytest.approx(1.0) == seen[10]
    assert seen[55] == pytest.approx(0.6)  # halfway from the end of the warmup
    assert seen[100] == pytest.approx(0.2)


def test_what_a_schedule_knows_of_the_time_survives_a_checkpoint(tmp_path):
    schedule = LinearDecay(torch.optim.SGD([parameter(1.0)], lr=1.0), steps=None, floor=0.0)
    timed_rates(schedule, [1, 2, 3], limit=10)
    torch.save(schedule.state_dict(), tmp_path / "s.pt")
    again = LinearDecay(torch.optim.SGD([parameter(1.0)], lr=1.0), steps=None, floor=0.0)
    again.load_state_dict(torch.load(tmp_path / "s.pt", weights_only=True))
    assert [factor(3) for factor in again.lr_lambdas] == pytest.approx([0.7])


def test_the_rate_rises_in_a_line_and_falls_with_the_square_root_of_the_step():
    optimizer = torch.optim.SGD([parameter(1.0)], lr=2.0)
    seen = rates(WarmupRsqrt(optimizer, 4), optimizer, 64)
    assert seen[:4] == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert [seen[15], seen[63]] == pytest.approx([1.0, 0.5])  # steps 16 and 64 are 4 and 16 x 4
    with pytest.raises(UserError, match="warmup_steps=0 must be at least 1"):
        WarmupRsqrt(optimizer, 0)


def test_an_exponential_decay_ends_at_its_floor():
    """(1e-3 - 1e-5) 0.9999^t + 1e-5: after 10,000 steps 3.742e-4, in the end 1e-5."""
    optimizer = torch.optim.Adam([parameter(1.0)], lr=1e-3)
    schedule = ExponentialFloor(optimizer)
    factor = schedule.lr_lambdas[0]
    expected = [1e-3 * factor(step) for step in (0, 1, 10_000, 10**6)]
    assert expected == pytest.approx([1e-3, 9.99901e-4, 3.7418e-4, 1e-5], rel=1e-4)


def test_a_floor_above_the_rate_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and the rate 0.001"):
        ExponentialFloor(torch.optim.Adam([parameter(1.0)], lr=1e-3), floor=0.1)


@pytest.mark.parametrize(
    ("gradients", "kept"),
    [((3.0, 4.0), True), ((30.0, 40.0), False), ((60.0, 0.0), False), ((float("nan"), 0.0), False)],
)
def test_gradients_of_an_exploded_norm_are_dropped(gradients, kept):
    trained = [parameter(1.0), parameter(1.0), parameter(1.0)]
    for one, value in zip(trained, gradients, strict=False):
        one.grad = torch.full_like(one, value)
    assert zero_exploded(trained, limit=50.0) is not kept
    assert [one.grad.item() for one in trained[:2]] == (list(gradients) if kept else [0.0, 0.0])
