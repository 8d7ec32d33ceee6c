"""MidiTok's tokenizers, built from checked configs.

MidiTok ignores unknown options, and turns off options that a scheme does not support, silently or
with a warning; here both are errors.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import UserError, did_you_mean

BOS, EOS, PAD = "BOS_None", "EOS_None", "PAD_None"
# Scheme -> its options in addition to those of MidiTok's TokenizerConfig.
SCHEMES: dict[str, tuple[str, ...]] = {
    "REMI": ("max_bar_embedding", "use_bar_end_tokens", "add_trailing_bars"),
    "TSD": (),
    "MIDILike": (),
    "Structured": (),
}
_SEVERAL = "writes several numbers per step, which no model here reads"
_LOSSY = "does not reproduce the notes that MidiTok's preprocessing keeps"  # checked with 3.1.0
_REFUSED = {
    "CPWord": _SEVERAL,
    "Octuple": _SEVERAL,
    "MuMIDI": _SEVERAL,
    "MMM": _LOSSY,
    "PerTok": _LOSSY,
    "BEAT": _LOSSY,
}
_OURS = ("special_tokens", "encode_ids_split")  # fixed below, or done by `bpe`
EVEN_GAPS = {"0-12": 8}
MIXED_GAPS = {"0-4": 8, "4-12": 4}  # MidiTok's own
_RANGE = re.compile(r"(\d+)[-_](\d+)")


def build_miditok(scheme: str, options: Mapping[str, Any]) -> Any:
    """MidiTok's tokenizer of a scheme.

    Args:
        scheme: one of `SCHEMES`.
        options: of MidiTok's ``TokenizerConfig``; ranges of beats are text, such as ``0-4``.

    Raises:
        UserError: naming a scheme or option that does not exist, or one that has no effect.
    """
    _check_scheme(scheme)
    import miditok  # takes seconds, most of them for torch

    parameters = signature(miditok.TokenizerConfig).parameters.values()
    named = [option.name for option in parameters if option.kind is not Parameter.VAR_KEYWORD]
    _check_names(scheme, options, [*(set(named) - {*_OURS}), *SCHEMES[scheme]])
    try:
        given = {name: _READ.get(name, _as_is)(value) for name, value in options.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their content is checked below
            config = miditok.TokenizerConfig(**given, special_tokens=["PAD", "BOS", "EOS"])
            built = getattr(miditok, scheme)(config)
    except Exception as error:  # MidiTok checks some values, and fails on others
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"the config of {scheme} is not one of MidiTok's: {reason}") from error
    _check_effects(scheme, given, built.config)
    return built


def with_gaps(scheme: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with one resolution for all gaps if the scheme needs it and they name none.

    Structured writes exactly one gap between two notes, so that what MidiTok's coarser resolution
    for long gaps rounds adds up to the end of the piece.
    """
    even = {"beat_res": EVEN_GAPS} if scheme == "Structured" else {}
    return {**even, **options}


def gaps_of(tokenizer: Any) -> NDArray[np.int64]:
    """The gaps that a tokenizer of MidiTok has a token for, in ticks of its grid, in order."""
    division = tokenizer.time_division
    ticks = {beats * division + part * division // res for beats, part, res in tokenizer.durations}
    return np.array(sorted(ticks), np.int64)


def _check_scheme(scheme: str) -> None:
    if scheme in SCHEMES:
        return
    if scheme in _REFUSED:
        raise UserError(f"{scheme} {_REFUSED[scheme]}; choose one of {', '.join(SCHEMES)}")
    raise UserError(f"there is no scheme {scheme}{did_you_mean(scheme, list(SCHEMES))}")


def _check_names(scheme: str, options: Mapping[str, Any], known: list[str]) -> None:
    for name in options:
        if name in _OURS:
            raise UserError(f"{name} cannot be set in the config of {scheme}: it is fixed")
        if name not in known:
            raise UserError(f"{scheme} has no option {name}{did_you_mean(name, sorted(known))}")


def _check_effects(scheme: str, given: Mapping[str, Any], config: Any) -> None:
    """Reject options that MidiTok turned off because the scheme or another option forbids them."""
    for name, value in given.items():
        if name in config.additional_params:
            effect = config.additional_params[name]
        else:
            effect = getattr(config, name)
        if _comparable(effect) != _comparable(value):
            raise UserError(f"{scheme} does not accept {name}={value} with the rest of its config")


def _comparable(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | list | tuple) else value


def _as_is(value: Any) -> Any:
    return value


def _resolutions(value: Mapping[str, int]) -> dict[tuple[int, int], int]:
    """``{"0-4": 8}`` as ``{(0, 4): 8}``, since keys of YAML cannot be tuples."""
    read = {}
    for key, steps in value.items():
        match = _RANGE.fullmatch(str(key))
        if not match:
            raise ValueError(f"{key} is not a range of beats such as 0-4")
        read[int(match[1]), int(match[2])] = int(steps)
    return read


def _meters(value: Mapping[Any, list[int]]) -> dict[int, list[int]]:
    return {int(unit): [int(beats) for beats in counts] for unit, counts in value.items()}


def _chords(value: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(pitches) for name, pitches in value.items()}


_READ: dict[str, Callable[[Any], Any]] = {
    "beat_res": _resolutions,
    "beat_res_rest": _resolutions,
    "time_signature_range": _meters,
    "chord_maps": _chords,
}
