"""Keys that the configs of earlier versions lack, and what ran without them."""

from collections.abc import Collection, Mapping
from functools import reduce
from operator import getitem
from typing import Any

SPAN = {"beginnings": 0.0, "endings": 0.0}
METERS = {8: [3, 12, 6], 4: [5, 6, 3, 2, 1, 4]}  # MidiTok's own, and those of our configs before
MIDI_TOKENS = ("remi", "tsd", "midi_like", "midi_tokenizer", "structured")
SOUND = ("tempo", "instrument", "transpose", "key", "forms")  # settings of every plan
WINDOWS = ("melody", "melody_16bar", "drums", "drums_full", "trio")
# Settings by their group and the name of the class there.
BY_CLASS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("sample", "SamplePlan"): dict.fromkeys(
        (
            "constraint",
            "input",
            "track",
            "bars",
            "prompt_tune",
            "seconds",
            "until",
            "slide",
            "max_bars",
            "num_bars",
            "form",
            *SOUND,
        )
    ),
    ("sample", "ReconstructPlan"): dict.fromkeys(("track", "bars", *SOUND)),
    ("sample", "AttributePlan"): dict.fromkeys(("track", "bars", *SOUND)),
    ("sample", "InterpolatePlan"): dict.fromkeys(
        ("a_track", "a_bars", "b_track", "b_bars", *SOUND)
    ),
    ("sample", "PriorPlan"): dict.fromkeys(SOUND),
    ("sample", "HarmonizePlan"): dict.fromkeys(SOUND),
    ("sample", "InfillPlan"): dict.fromkeys(SOUND),
    ("sample", "AccompanyPlan"): dict.fromkeys(SOUND),
    ("dataset", "Lakh"): {"official_splits": False},
    ("model.net", "MusicTransformer"): {"cycle": 0},
}
# Defaults that are others today: a recorded one was most likely nobody's choice, and is kept.
CHANGED: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("sample", "SamplePlan"): {"constraint": None},
    ("transforms.abc_tokens", "AbcTokens"): {"min_count": 10},
}
UNREAD = (
    "render",
    "benchmark",
    "listen",
    "play",
)  # groups that no training reads, which sweeps need not have in common
EARLIER: Mapping[str, Any] = {
    "loader.split.by": "content",
    "loader.blocks": False,
    "loader.even_batches": False,
    "evaluate.infills": 200,  # no model of theirs fills in
    "evaluate.infill_bars": 4,
    "transforms.arrival_times.instruments": None,
    "transforms.performance.pitches": [0, 127],
    "transforms.performance.reserved": 0,
    "transforms.sample_subsequence.stride": 1,
    "trainer.threads": None,
    "transforms.abc_tokens.changes": "drop",
    **{f"transforms.sample_subsequence.{name}": value for name, value in SPAN.items()},
    **{f"transforms.sample_bars.{name}": value for name, value in SPAN.items()},
    **{f"transforms.{name}.meters": None for name in MIDI_TOKENS},
    **{f"transforms.{name}.max_off_grid": None for name in (*MIDI_TOKENS, *WINDOWS)},
    **{f"transforms.{name}.meter_tracks": "first" for name in WINDOWS},
    **{f"transforms.{name}.tempo_changes": "restart" for name in WINDOWS},
    **{f"transforms.{name}.tracks": None for name in ("melody", "melody_16bar")},
}


def earlier_values(recorded: Mapping[str, Any], named: Collection[str]) -> dict[str, Any]:
    """What a run or sweep did where its recorded config is not one of today.

    Args:
        recorded: its config.
        named: keys that the command line sets, which are not the recorded config's to decide.
    """
    values = {key: value for key, value in EARLIER.items() if _lacks(recorded, key.split("."))}
    for group in MIDI_TOKENS:
        if f"transforms.{group}.meters" in values:  # from before the list of meters grew
            key = f"transforms.{group}.config.time_signature_range"
            config = recorded["transforms"][group].get("config") or {}
            values[key] = config.get("time_signature_range", METERS)
    for (group, name), settings in BY_CLASS.items():
        node = _node(recorded, group.split(".")) or {}
        if str(node.get("_target_")).rpartition(".")[2] == name:
            values |= {f"{group}.{key}": settings[key] for key in settings if key not in node}
    for (group, name), settings in CHANGED.items():
        node = _node(recorded, group.split(".")) or {}
        if str(node.get("_target_")).rpartition(".")[2] == name:
            kept = {key for key in settings if key in node and node[key] == settings[key]}
            values |= {f"{group}.{key}": settings[key] for key in kept}
    return {key: value for key, value in values.items() if key not in named}


def with_earlier(recorded: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Write such values into a recorded config."""
    for key, value in values.items():
        *groups, name = key.split(".")
        reduce(getitem, groups, recorded)[name] = value


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """The same on a command line."""
    words: list[str] = []
    for key, value in values.items():
        if isinstance(value, Mapping):  # it would be merged into today's
            words += [f"~{key}", f"+{key}={value}".replace(" ", "")]
        else:
            words.append(f"{key}={'null' if value is None else str(value).lower()}")
    return words


def _lacks(recorded: Mapping[str, Any], path: list[str]) -> bool:
    """Whether a config has the group of a key, but not the key."""
    group = _node(recorded, path[:-1])
    return group is not None and path[-1] not in group


def _node(recorded: Mapping[str, Any], path: list[str]) -> Mapping[str, Any] | None:
    """A group of a config; ``None`` if the config lacks it."""
    node: Any = recorded
    for name in path:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else None
