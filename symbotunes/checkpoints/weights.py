"""Weights that start a new run: from our checkpoints or from published files."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.formats.hugging_face import CONFIG, read_model
from symbotunes.checkpoints.formats.magenta_bundle import BUNDLE, read_bundle
from symbotunes.checkpoints.formats.pickle import read_pickle
from symbotunes.checkpoints.formats.tensorflow import is_tensorflow, read_checkpoint
from symbotunes.checkpoints.published import HUB, SHIPPED, is_published
from symbotunes.errors import UserError
from symbotunes.models.base import Model
from symbotunes.models.folk_rnn.published import from_authors
from symbotunes.models.gpt2.published import from_transformers
from symbotunes.models.music_transformer.published import from_tensor2tensor, is_tensor2tensor
from symbotunes.models.music_vae.published import from_magenta
from symbotunes.models.performance_rnn.published import from_magenta as from_magenta_performance
from symbotunes.models.performance_rnn.published import is_performance_rnn
from symbotunes.models.published import LayoutError, PublishedWeights
from symbotunes.tokenizers.abc_bpe import read_files
from symbotunes.tokenizers.base import Tokenizer, Vocabulary
from symbotunes.transforms.base import ADDED

CHECKPOINTS = (".ckpt", ".pt", ".pth")  # a mistyped path of one is not a name on the hub
GPT2_TRANSFORMS = "for GPT-2's own transforms=[abc_bpe] with transforms.abc_bpe.files=FOLDER"
TRANSFORMERS = {"gpt2": from_transformers}  # model_type of a transformers config -> its mapping
_HUB_ID = re.compile(r"[\w-]+(?:\.[\w-]+)*/[\w.-]+(?:@[\w./-]+)?")


@dataclass(frozen=True)
class Weights:
    """Weights of a network and the vocabulary that they were trained with.

    Attributes:
        tensors: by the network's parameter names.
        tokenizer: state for ``Tokenizer.load_state``; ``None`` if the source has no
            vocabulary, empty if its kind of tokenizer needs no state.
        source: where they come from, shown to people.
        sizes: required values of keys below ``model.net`` that do not follow from shapes.
        vocabulary: number of ids, if it does not follow from `tokenizer`.
        model: ``model=`` of the network that `sizes` are of.
        transforms: those that the weights were trained with, as written on the command line.
    """

    tensors: dict[str, Tensor]
    tokenizer: Mapping[str, Any] | None
    source: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: int | None = None
    model: str = "gpt2"
    transforms: str = GPT2_TRANSFORMS

    def give_vocabulary(self, tokenizer: Tokenizer[Any]) -> None:
        """Load the vocabulary of the weights into the tokenizer of the new run.

        Raises:
            UserError: if it is a tokenizer of another kind.
        """
        if self.tokenizer is None:
            return
        state = {key: self.tokenizer[key] for key in self.tokenizer if key != ADDED}
        if tokenizer.STATE is not None and set(state) != set(tokenizer.STATE):
            chosen = "[abc_bpe]" if "tokenizer" in state else "[abc_tokens]"
            chosen = self.transforms if not state else f"transforms={chosen}"
            raise UserError(f"{self.source} was trained on other tokens: set {chosen}")
        if self.added not in ((), tokenizer.added):
            raise UserError(
                f"{self.source} was trained with the tokens {' '.join(self.added)}: choose its "
                "transforms, such as [abc_tokens,infill]"
            )
        tokenizer.load_state(state)

    @property
    def added(self) -> tuple[str, ...]:
        """Tokens that steps after the tokenizer added to the vocabulary of the weights."""
        return tuple(map(str, (self.tokenizer or {}).get(ADDED, ())))

    def grown(self, net: Model, tokenizer: Tokenizer[Any]) -> dict[str, Tensor]:
        """The tensors with entries for the ids that the network has.

        Those of ids that never occur are left out, and those of ids that the weights do not have
        are added.

        Each of the latter is the mean of those of all known ids: the network then predicts what it
        did before, and the new tokens about as often as an average one (J. Hewitt, "Initializing
        New Word Embeddings for Pretrained Language Models", 2021).

        Args:
            net: the network, built for the tokenizer's vocabulary and its added tokens.
            tokenizer: with the vocabulary of the weights.
        """
        vocabulary = tokenizer.model_vocabulary
        old = tokenizer.vocabulary.size + len(self.added)
        shapes = {name: tensor.shape for name, tensor in net.state_dict().items()}

        def fitted(name: str, tensor: Tensor) -> Tensor:
            shape = shapes.get(name, tensor.shape)
            if vocabulary.used is not None:
                return _chosen(tensor, shape, vocabulary)
            return _grown(tensor, shape, old, vocabulary.size)

        return {name: fitted(name, tensor) for name, tensor in self.tensors.items()}

    def check(self, net: Model, vocabulary_size: int) -> None:
        """Check that the network has the sizes of the weights.

        Raises:
            UserError: naming the keys to set.
        """
        if any(getattr(net, name, None) != size for name, size in self.sizes.items()):
            keys = " ".join(f"model.net.{name}={_word(size)}" for name, size in self.sizes.items())
            raise UserError(
                f"{self.source} holds a network of other sizes: set model={self.model} {keys}"
            )
        if self.vocabulary not in (None, vocabulary_size):
            raise UserError(
                f"{self.source} has a vocabulary of {self.vocabulary} ids, the tokenizer one of "
                f"{vocabulary_size}: choose the transforms that the weights were trained with, "
                f"{self.transforms}"
            )


def read_weights(path: Path) -> Weights:
    """Read ``model.init_from``.

    Args:
        path: a ``.pkl`` of the Folk-RNN authors, a checkpoint or bundle (``.mag``) of Magenta, a
            checkpoint or run folder of ours, a published model of ours (a folder,
            ``hub:owner/name`` or ``pretrained/name``), a folder with a Hugging Face GPT-2, or the
            id of one on the hub (``owner/name``, ``owner/name@revision``).

    Raises:
        UserError: if it is missing, damaged, or would run code.
    """
    if path.suffix == ".pkl":
        published = _mapped(path, from_authors, read_pickle(path))
        return Weights(published.tensors, {"tokens": published.tokens}, str(path))
    is_run = (path / "checkpoints").is_dir()
    if is_run or is_published(path) or str(path).startswith((HUB, f"{SHIPPED}/")):
        return _from_checkpoint(path)
    if (path / CONFIG).is_file():
        return _from_hugging_face(path)
    if is_tensorflow(path):
        return _from_magenta(path, read_checkpoint(path))
    if path.suffix == BUNDLE:
        bundle = read_bundle(path)
        return _from_magenta(path, bundle.variables, bundle.id)
    if _HUB_ID.fullmatch(str(path)) and path.suffix not in CHECKPOINTS and not path.exists():
        return _from_hugging_face(path)
    return _from_checkpoint(path)


def _chosen(tensor: Tensor, shape: Sequence[int], vocabulary: Vocabulary) -> Tensor:
    """A tensor without the entries of ids that never occur, if it has some and `shape` has not."""
    if tensor.ndim != len(shape) or vocabulary.used is None:
        return tensor
    for axis, (given, wanted) in enumerate(zip(tensor.shape, shape, strict=True)):
        if given == vocabulary.size != wanted == vocabulary.rows:
            ids = [index for part in vocabulary.used for index in part]
            tensor = tensor.index_select(axis, torch.tensor(ids))
    return tensor


def _grown(tensor: Tensor, shape: Sequence[int], old: int, new: int) -> Tensor:
    """A tensor with `new` entries along the axes where it has `old` ones and `shape` has `new`."""
    if tensor.ndim != len(shape):
        return tensor
    for axis, (given, wanted) in enumerate(zip(tensor.shape, shape, strict=True)):
        if given == old != wanted == new:
            mean = tensor.float().mean(axis, keepdim=True).to(tensor.dtype)
            tensor = torch.cat([tensor, mean.repeat_interleave(new - old, axis)], axis)
    return tensor


def _from_checkpoint(path: Path) -> Weights:
    checkpoint = unpack(path)
    return Weights(checkpoint.weights, checkpoint.tokenizer, str(path))


def _from_magenta(path: Path, variables: Mapping[str, Any], config: str | None = None) -> Weights:
    """Of one of Magenta's networks; only bundles, of Performance RNNs, name their config."""
    if is_tensor2tensor(variables):
        published = _mapped(path, from_tensor2tensor, variables)
    elif config is None and not is_performance_rnn(variables):
        published = _mapped(path, from_magenta, variables)
    else:
        published = _mapped(path, from_magenta_performance, variables, config)
    return Weights(
        published.tensors,
        {},
        str(path),
        published.sizes,
        published.vocabulary,
        published.model,
        published.transforms or "transforms=[melody]",
    )


def _from_hugging_face(path: Path) -> Weights:
    model = read_model(path)
    config = model.config if isinstance(model.config, dict) else {}
    kind = str(config.get("model_type", "gpt2"))  # configs of 2019 do not have it
    if kind not in TRANSFORMERS:
        known = ", ".join(TRANSFORMERS)
        raise UserError(f"{path} has model_type={kind} in its config; only {known} can be read")
    published = _mapped(path, TRANSFORMERS[kind], config, model.tensors)
    return Weights(
        published.tensors,
        read_files(model.folder) if model.has_text else None,
        str(path),
        published.sizes,
        published.vocabulary,
        published.model,
        published.transforms or GPT2_TRANSFORMS,
    )


def _mapped(
    path: Path, mapping: Callable[..., PublishedWeights], *content: Any
) -> PublishedWeights:
    """The content of a file under our names; errors name its path."""
    try:
        return mapping(*content)
    except LayoutError as error:
        raise UserError(f"{path} {error}") from error


def _word(value: Any) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)
