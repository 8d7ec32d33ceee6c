"""The config of a fine-tuning: what the source decides, and what the collection does."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.checkpoints.arguments import without_files
from symbotunes.checkpoints.checkpoint import FINETUNE, Checkpoint, unpack
from symbotunes.checkpoints.parents import lineage
from symbotunes.checkpoints.weights import read_weights
from symbotunes.config.assembly import build_chain, build_data
from symbotunes.config.overrides import named_keys
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.training.finetuning.keys import keys_of
from symbotunes.training.finetuning.regime import regime_for

# Of the loader, what examples are is the source's to decide, and how many make a batch is not.
OF_EXAMPLES = ("min_tokens", "max_tokens", "blocks")
FROM_SOURCE = ("model", "transforms")  # groups that the command line cannot choose
AUGMENTATION = "transpose"


def is_finetuning(cfg: DictConfig) -> bool:
    """Whether a config is that of a fine-tuning."""
    return cfg.get(FINETUNE) is not None


def finetuned(cfg: DictConfig) -> DictConfig:
    """The config of a run, completed if it is a fine-tuning.

    The network with its sizes and the steps from pieces to ids are those of ``model.init_from``.
    The collection is prepared, and the size of batches, the number of steps, validations and the
    learning rate follow from how many examples it has, unless the command line sets them.

    Raises:
        UserError: if the source is not a model of Symbotunes, or the collection is too small.
    """
    if not is_finetuning(cfg):
        return cfg
    source, named = source_of(cfg), named_keys(cfg)
    for group in FROM_SOURCE:
        if group in named:
            raise UserError(
                f"{group}=...: a fine-tuning takes its {group} from model.init_from="
                f"{cfg.model.init_from}; leave {group}= out"
            )
    adapted = cfg.copy()
    with open_dict(adapted):
        adapted.model.net = source.config.model.net
        adapted.transforms = _steps(source)
        for key in OF_EXAMPLES:
            if key in source.config.loader and f"loader.{key}" not in named:
                adapted.loader[key] = source.config.loader[key]
        _keep_named(adapted, cfg, "model.net.")
        _keep_named(adapted, cfg, "transforms.")
        data = _prepared(adapted)
        examples = len(data.encoded.examples("train"))
        regime = regime_for(examples, cfg.finetune.passes, cfg.finetune.lr)
        for key, value in regime.settings.items():
            if key not in named:
                OmegaConf.update(adapted, key, value)
        adapted.finetune.parents = lineage(source)
        adapted.finetune.keys = keys_of(data)
    return adapted


def source_of(cfg: DictConfig) -> Checkpoint:
    """The model that a fine-tuning starts from.

    Raises:
        UserError: if it is not one of Symbotunes, or is trained by several optimizers.
    """
    source = unpack(Path(cfg.model.init_from))
    if source.config.model.get("optimizers") is not None:
        raise UserError(
            f"model.init_from={source.path}: +experiment=finetune has one optimizer, and the parts "
            "of this model have one each; train it with model=... model.init_from=..."
        )
    return source


def _steps(source: Checkpoint) -> DictConfig:
    """The transforms of the source; where tunes keep their keys, training draws them in many."""
    steps: Any = without_files(OmegaConf.to_container(source.config.transforms))
    tokenizer = steps.get("abc_tokens") or steps.get("abc_tokens_137")
    if tokenizer is not None and tokenizer.get("root") == "keep" and AUGMENTATION not in steps:
        names = list(steps)
        after = names.index("abc_tokens" if "abc_tokens" in steps else "abc_tokens_137") + 1
        moved = {
            "_target_": "symbotunes.transforms.transpose.Transpose",
            "semitones": list(range(-5, 7)),
        }
        ordered = [*names[:after], AUGMENTATION, *names[after:]]
        steps = {name: steps.get(name, moved) for name in ordered}
    chain: DictConfig = OmegaConf.create(steps)
    return chain


def _keep_named(adapted: DictConfig, cfg: DictConfig, prefix: str) -> None:
    """Set again what the command line says about parts that come from the source."""
    for key in named_keys(cfg):
        if key.startswith(prefix):
            OmegaConf.update(adapted, key, OmegaConf.select(cfg, key))


def _prepared(adapted: DictConfig) -> MusicData:
    """The collection, with the vocabulary of the source.

    Raises:
        UserError: if nothing could be held out.
    """
    chain = build_chain(adapted)
    read_weights(Path(adapted.model.init_from)).give_vocabulary(chain.tokenizer)
    data = build_data(adapted, chain)
    encoded = data.encoded
    if not len(encoded.examples("train")) or not len(encoded.examples("val")):
        kept = sum(encoded.receipt.kept.values())
        raise UserError(
            f"only {kept} pieces of {data.corpus.name} can be used: a fine-tuning needs two that "
            "are not versions of each other, one to learn from and one to validate on; "
            "mode=prepare with the same dataset says why others are left out"
        )
    return data
