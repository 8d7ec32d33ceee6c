"""Current paths of classes that configs of earlier versions name by another path.

Checkpoints, exported folders and sweep jobs carry the config that made them. Old names in them are
replaced before anything checks or builds what they name.
"""

from typing import Any

# Modules whose classes all moved together.
_MODULES = {
    "symbotunes.callbacks": "symbotunes.training.callbacks",
    "symbotunes.comparing": "symbotunes.evaluation.comparison.measuring",
    "symbotunes.composing": "symbotunes.generation.sequences.plan",
    "symbotunes.datasets.abc_files": "symbotunes.datasets.abc_folder",
    "symbotunes.evaluating": "symbotunes.evaluation.plan",
    "symbotunes.export": "symbotunes.checkpoints.export",
    "symbotunes.lit": "symbotunes.training.lit_model",
    "symbotunes.loggers": "symbotunes.training.loggers",
    "symbotunes.muon": "symbotunes.training.muon",
    "symbotunes.optim": "symbotunes.training.optimizers",
    "symbotunes.sweeping": "symbotunes.sweeps.hooks",
    "symbotunes.tokenizers.bpe": "symbotunes.tokenizers.abc_bpe",
    "symbotunes.tokenizers.grid": "symbotunes.tokenizers.windows",
    "symbotunes.trainer": "symbotunes.training.trainer",
    "symbotunes.transforms.midi_versions": "symbotunes.transforms.midi_augmentation",
    "symbotunes.transforms.stretches": "symbotunes.transforms.cuts",
}
# Classes that moved to a different module on their own.
_CLASSES = {
    "symbotunes.latent.plans.AttributePlan": "symbotunes.generation.latent.attribute.AttributePlan",
    "symbotunes.latent.plans.InterpolatePlan": (
        "symbotunes.generation.latent.interpolate.InterpolatePlan"
    ),
    "symbotunes.latent.plans.PriorPlan": "symbotunes.generation.latent.prior.PriorPlan",
    "symbotunes.latent.plans.ReconstructPlan": (
        "symbotunes.generation.latent.reconstruct.ReconstructPlan"
    ),
    "symbotunes.optim.ExponentialFloor": "symbotunes.training.schedules.ExponentialFloor",
    "symbotunes.optim.FolkRnnDecay": "symbotunes.training.schedules.FolkRnnDecay",
    "symbotunes.optim.LinearDecay": "symbotunes.training.schedules.LinearDecay",
    "symbotunes.optim.WarmupCosine": "symbotunes.training.schedules.WarmupCosine",
}
# Default arguments, by a class's earlier path, that are ``null`` today and mean the same there.
_DEFAULTS = {
    "symbotunes.callbacks.checkpoints.BestAndLast": {"monitor": "val/loss", "mode": "min"},
}


def modernized(node: Any) -> Any:
    """Plain dicts and lists with every ``_target_`` and default as they are written today."""
    if isinstance(node, dict):
        target = node.get("_target_")
        if not isinstance(target, str):
            return {key: modernized(value) for key, value in node.items()}
        defaults = _DEFAULTS.get(target, {})
        arguments = {
            key: None if key in defaults and value == defaults[key] else modernized(value)
            for key, value in node.items()
        }
        return arguments | {"_target_": today(target)}
    if isinstance(node, list):
        return [modernized(value) for value in node]
    return node


def today(target: str) -> str:
    """The current path of a class; any other path is returned unchanged."""
    if target in _CLASSES:
        return _CLASSES[target]
    for old, new in _MODULES.items():
        if target.startswith(f"{old}."):
            return new + target.removeprefix(old)
    return target
