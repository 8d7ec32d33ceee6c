"""A GAN over windows of melody: the least that trains, writes and is measured.

Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, with the straight-through Gumbel softmax of
Jang et al. 2017, https://arxiv.org/abs/1611.01144, since notes are classes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.base import Batch, Loss, WindowModel
from symbotunes.tokenizers.base import Vocabulary


class Generator(nn.Module):
    """From noise ``[B, Z]`` to logits ``[B, T, V]``."""

    def __init__(self, latent: int, width: int, steps: int, classes: int) -> None:
        super().__init__()
        self.shape = steps, classes
        self.layers = nn.Sequential(
            nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, steps * classes)
        )

    def forward(self, z: Tensor) -> Tensor:
        logits: Tensor = self.layers(z).unflatten(1, self.shape)
        return logits


class Critic(nn.Module):
    """From windows ``[B, T, V]``, one-hot, to scores ``[B]``: high for music by people."""

    def __init__(self, width: int, steps: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(steps * classes, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def forward(self, windows: Tensor) -> Tensor:
        scores: Tensor = self.layers(windows)[:, 0]
        return scores


class TinyGAN(WindowModel):
    """Writes windows of melody from noise; it has no likelihood.

    Args:
        vocabulary: classes of a step.
        steps: length of a window, T.
        latent: Z.
        width: units of the hidden layers.
    """

    MONITOR = "val/class_distance"  # 0: as in the data; 1: nothing in common

    def __init__(
        self, vocabulary: Vocabulary, steps: int = 32, latent: int = 8, width: int = 32
    ) -> None:
        super().__init__()
        self.latent = latent
        self.classes = vocabulary.size
        self.generator = Generator(latent, width, steps, vocabulary.size)
        self.critic = Critic(width, steps, vocabulary.size)

    @property
    def tracks(self) -> tuple[str, ...]:
        return ("melody",)

    def part_loss(self, part: str, batch: Batch, step: int = 0) -> Loss:
        """What the critic or the generator minimizes: nats of telling which windows are real."""
        written = self._write(len(batch.tokens))
        if part == "generator":
            return Loss(F.softplus(-self.critic(written)).mean())
        real = F.softplus(-self.critic(self._one_hot(batch.tokens))).mean()
        return Loss(real + F.softplus(self.critic(written.detach())).mean())

    def loss(self, batch: Batch, step: int = 0) -> Loss:
        """What a validation shows: the generator's loss, and how unlike its classes are."""
        written = self._write(len(batch.tokens))
        shares = [windows.mean((0, 1)) for windows in (written, self._one_hot(batch.tokens))]
        distance = (shares[0] - shares[1]).abs().sum() / 2
        objective = F.softplus(-self.critic(written)).mean()
        return Loss(objective, terms={"class_distance": distance.detach()})

    @torch.no_grad()
    def decode(
        self,
        z: Tensor,
        steps: int,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
        uniforms: Tensor | None = None,
    ) -> Tensor:
        logits = self.generator(z)
        if temperature == 0:
            return logits.argmax(-1)
        if uniforms is None:
            uniforms = torch.rand(self.chances(len(z), steps), generator=generator)
        shares = (logits / temperature).softmax(-1).cumsum(-1)  # [B, T, V]
        return (shares < uniforms.to(z.device)).sum(-1).clamp(max=self.classes - 1)

    def chances(self, pieces: int, steps: int) -> tuple[int, int, int]:
        return pieces, steps, 1

    def _write(self, pieces: int) -> Tensor:
        """Windows ``[B, T, V]``, one-hot, with gradients as if they were soft."""
        device = next(self.parameters()).device
        logits = self.generator(torch.randn(pieces, self.latent, device=device))
        return F.gumbel_softmax(logits, hard=True)

    def _one_hot(self, tokens: Tensor) -> Tensor:
        return F.one_hot(tokens, self.classes).float()
