"""A model of windows with its tokenizer: from noise to windows, and to latent vectors and back."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbotunes.errors import DIVERGED, UserError
from symbotunes.generation.sample import Sample
from symbotunes.models.base import LatentModel, WindowModel
from symbotunes.tokenizers.base import Ids, Tokenizer
from symbotunes.tokenizers.windows import Windows

FITTED = "halfway between neighboring training windows"
NORMAL = "the standard normal distribution"


class Player:
    """Writes windows from noise, each with its own random numbers.

    Args:
        net: the trained network; it is put into eval mode.
        tokenizer: the one that it was trained with.
        batch_size: windows processed in parallel.
        on_step: called with the number of steps written so far.
        weights: ``bfloat16`` rounds weights and arithmetic while windows are written.

    Raises:
        UserError: if the tokenizer does not produce windows of fixed length.
    """

    net: WindowModel

    def __init__(
        self,
        net: WindowModel,
        tokenizer: Tokenizer[Any],
        *,
        batch_size: int = 64,
        on_step: Callable[[int], None] | None = None,
        weights: str | None = None,
    ) -> None:
        if tokenizer.steps is None:
            raise UserError(
                f"{type(net).__name__} writes windows of one length, and its tokenizer "
                f"{type(tokenizer).__name__} makes none: choose another ckpt=PATH"
            )
        self.net = net.eval()
        self.tokenizer = cast(Windows, tokenizer)
        self.batch_size = batch_size
        self.on_step = on_step
        self.weights = weights
        self.written = 0

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.net.parameters()).device

    @property
    def priors(self) -> dict[str, bool]:
        """The distributions of new windows, by name: whether each is fitted."""
        return {"generated": False}

    def prior_facts(self, *, fitted: bool) -> dict[str, str]:  # noqa: ARG002
        """Facts for people on the distribution of new windows."""
        return {}

    @torch.inference_mode()
    def prior(self, seeds: Sequence[int], *, fitted: bool = False) -> Tensor:  # noqa: ARG002
        """Noise ``[B, Z]``, each row from its seed.

        Args:
            seeds: one per row.
            fitted: sample where the training windows are, if the model knows.
        """
        rows = [torch.randn(self.net.latent, generator=_generator(seed)) for seed in seeds]
        return torch.stack(rows).to(self.device)

    @torch.inference_mode()
    def write(self, z: Tensor, seeds: Sequence[int], temperature: float) -> list[Ids]:
        """Ids of one window for each latent vector, which depend on its seed and vector alone.

        Raises:
            UserError: if the weights or the vectors are not finite.
        """
        require_finite(z, *self.net.parameters())
        windows: list[Ids] = []
        for start in range(0, len(z), self.batch_size):
            part = slice(start, start + self.batch_size)
            uniforms = torch.cat([self._chances(seed) for seed in seeds[part]])
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bool(self.weights)):
                tokens = self.net.decode(
                    z[part], self.tokenizer.steps, temperature, uniforms=uniforms.to(self.device)
                )
            windows += list(self.ids(tokens))
            self.written += len(tokens) * self.tokenizer.steps
            if self.on_step is not None:
                self.on_step(self.written)
        return windows

    def tokens(self, windows: Sequence[Ids] | NDArray[Any]) -> Tensor:
        """Windows as the network reads them, ``[N, T]`` or ``[N, T, F]``."""
        return torch.from_numpy(np.stack(list(windows)).astype(np.int64)).to(self.device)

    def ids(self, tokens: Tensor) -> NDArray[Any]:
        """The network's output as ids of the tokenizer: sets of drums become numbers."""
        numbers = tokens.cpu().numpy()
        if numbers.ndim == 3 and self.tokenizer.FIELDS == 1:
            numbers = numbers.astype(np.int64) @ (1 << np.arange(numbers.shape[-1], dtype=np.int64))
        return np.asarray(numbers)

    def nats(self, z: Tensor, windows: Sequence[Ids]) -> Sequence[float | None]:  # noqa: ARG002
        """Negative log-likelihood in nats of each window given its `z`; ``None`` if unknown."""
        return [None] * len(windows)

    def samples(
        self,
        z: Tensor,
        windows: Sequence[Ids],
        names: Sequence[tuple[str, str]],
        seeds: Sequence[int],
        notes: Sequence[tuple[str, ...]] | None = None,
    ) -> list[Sample]:
        """Windows ready to be rendered.

        Args:
            z: ``[N, Z]`` latent vectors.
            windows: ids of each.
            names: stem of the files, and title, of each.
            seeds: one for each.
            notes: remarks on each.
        """
        nats = self.nats(z, windows)
        return [
            self._sample(ids, name, title, seed, surprise, remarks)
            for ids, (name, title), seed, surprise, remarks in zip(
                windows, names, seeds, nats, notes or [()] * len(windows), strict=True
            )
        ]

    def _sample(
        self, ids: Ids, name: str, title: str, seed: int, nats: float | None, notes: tuple[str, ...]
    ) -> Sample:
        rendition = self.tokenizer.render_ids(ids, title)
        return Sample(
            name=name,
            title=title,
            score=rendition.score,
            abc=rendition.abc,
            tokens=int(ids.size),
            nll_nats=nats,
            generated=int(ids.size),
            finished=True,
            seed=seed,
            notes=(*notes, *rendition.problems),
        )

    def _chances(self, seed: int) -> Tensor:
        """Random numbers of one window."""
        generator = _generator(seed)
        torch.randn(self.net.latent, generator=generator)  # skip those that `prior` uses
        return torch.rand(self.net.chances(1, self.tokenizer.steps), generator=generator)


class LatentPlayer(Player):
    """Also encodes windows and computes their likelihood."""

    net: LatentModel

    @property
    def priors(self) -> dict[str, bool]:
        fitted = {"fitted prior": True} if self.net.knows_windows else {}
        return {**fitted, "normal prior": False}

    def prior_facts(self, *, fitted: bool) -> dict[str, str]:
        if not fitted:
            return {"prior": NORMAL}
        if self.net.knows_windows:
            return {"prior": FITTED}
        return {"prior": f"{NORMAL}; these weights include no training windows"}

    @torch.inference_mode()
    def prior(self, seeds: Sequence[int], *, fitted: bool = False) -> Tensor:
        z = super().prior(seeds)
        return self.net.fitted_prior(z) if fitted else z

    @torch.inference_mode()
    def means(self, windows: Sequence[Ids] | NDArray[Any]) -> Tensor:
        """Posterior means ``[N, Z]`` of windows ``[T]`` or ``[T, F]``."""
        parts = [
            self.net.encode(self.tokens(windows[start : start + self.batch_size])).mean
            for start in range(0, len(windows), self.batch_size)
        ]
        return torch.cat(parts)

    @torch.inference_mode()
    def nats(self, z: Tensor, windows: Sequence[Ids]) -> list[float]:
        """Negative log-likelihood in nats of each window given its latent vector.

        Raises:
            UserError: if the network gives NaN.
        """
        window_nats: list[float] = []
        for start in range(0, len(z), self.batch_size):
            part = slice(start, start + self.batch_size)
            nats, _ = self.net.score(z[part], self.tokens(windows[part]))
            require_finite(nats)
            window_nats += nats.cpu().double().sum((1, 2)).tolist()
        return window_nats


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def require_finite(*tensors: Tensor) -> None:
    """Raise `UserError` if a network has NaN or infinity where numbers should be."""
    if not all(bool(tensor.isfinite().all()) for tensor in tensors):
        raise UserError(DIVERGED)
