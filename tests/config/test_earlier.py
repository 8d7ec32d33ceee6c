"""What ran before a key or a default existed."""

import pytest
from hydra import compose, initialize_config_dir

from symbotunes.config.earlier import METERS, as_overrides, earlier_values
from symbotunes.paths import CONF

RECORDED = {"transforms": {"remi": {"config": {"time_signature_range": {4: [3]}}}}}


@pytest.mark.parametrize(
    ("config", "meters"),
    [({}, METERS), ({"time_signature_range": {4: [3]}}, {4: [3]})],
    ids=["none named", "one named"],
)
def test_a_run_from_before_keeps_its_meters_and_drops_no_piece_for_them(config, meters):
    recorded = {"transforms": {"midi_tokenizer": {"config": config}}}
    assert earlier_values(recorded, named=()) == {
        "transforms.midi_tokenizer.meters": None,
        "transforms.midi_tokenizer.max_off_grid": None,
        "transforms.midi_tokenizer.config.time_signature_range": meters,
    }


def test_what_the_command_line_names_is_left_to_it():
    key = "transforms.remi.config.time_signature_range"
    assert key not in earlier_values(RECORDED, named=(key,))


def test_jobs_of_a_resumed_sweep_have_exactly_the_meters_of_before():
    words = as_overrides(earlier_values(RECORDED, named=()))
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", ["transforms=[remi]", *words])
    assert cfg.transforms.remi.config.time_signature_range == {4: [3]}
    assert cfg.transforms.remi.meters is None


@pytest.mark.parametrize(
    ("plan", "keys"),
    [
        (
            "symbotunes.composing.SamplePlan",
            [
                *(
                    "constraint",
                    "input",
                    "track",
                    "bars",
                    "prompt_tune",
                    "seconds",
                    "until",
                    "slide",
                ),
                *("max_bars", "num_bars", "form"),
            ],
        ),
        ("symbotunes.latent.InterpolatePlan", ["a_track", "a_bars", "b_track", "b_bars"]),
        ("symbotunes.latent.PriorPlan", []),
    ],
)
def test_a_plan_from_before_has_no_constraint_no_sound_and_no_part_of_a_file(plan, keys):
    recorded = {"sample": {"_target_": plan}}
    keys = [*keys, "tempo", "instrument", "transpose", "key", "forms"]
    assert earlier_values(recorded, named=()) == {f"sample.{key}": None for key in keys}


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [("lakh.Lakh", {"dataset.official_splits": False}), ("maestro.Maestro", {})],
)
def test_a_setting_of_one_class_is_not_given_to_others(dataset, expected):
    recorded = {"dataset": {"_target_": f"symbotunes.datasets.{dataset}"}}
    assert earlier_values(recorded, named=()) == expected


@pytest.mark.parametrize(("count", "kept"), [(10, {"min_count": 10}), (1, {}), ("auto", {})])
def test_a_default_of_before_is_kept(count, kept):
    tokens = {"_target_": "symbotunes.tokenizers.abc.AbcTokens", "min_count": count}
    values = earlier_values({"transforms": {"abc_tokens": {**tokens, "changes": "drop"}}}, ())
    assert values == {f"transforms.abc_tokens.{key}": value for key, value in kept.items()}


def test_lists_of_before_are_values_on_the_command_line():
    words = as_overrides(earlier_values({"transforms": {"performance": {}}}, named=()))
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", ["transforms=[performance]", *words])
    assert (cfg.transforms.performance.pitches, cfg.transforms.performance.reserved) == (
        [0, 127],
        0,
    )


def test_a_recorded_default_that_has_changed_is_kept_unless_the_command_line_sets_it():
    target = "symbotunes.generation.sequences.plan.SamplePlan"
    free = {"sample": {"_target_": target, "constraint": None}}
    assert earlier_values(free, named=())["sample.constraint"] is None
    assert "sample.constraint" not in earlier_values(free, named={"sample.constraint"})
    bound = {"sample": {"_target_": target, "constraint": "abc"}}
    assert "sample.constraint" not in earlier_values(bound, named=())
