"""Output layers: from the decoder's units to the nats of a step, or to a sampled step."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.layers.drawing import draw

FLOOR = 1e-6  # added to bit probabilities before the logarithm, as in the reference


class Head(nn.Module):
    """A dense layer whose outputs parametrize a distribution over the S numbers of a step.

    Attributes:
        project: the dense layer, with Glorot weights and zero bias.
    """

    project: nn.Linear

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, outputs)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Outputs ``[..., O]``, called logits, of units ``[..., D]``."""
        return self.project(hidden)  # type: ignore[no-any-return]  # torch's modules return Any

    @abstractmethod
    def score(self, logits: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """How well outputs ``[..., O]`` predict the true steps ``[..., S]``.

        Returns:
            Nats ``[..., K]`` for K tracks, and whether the most likely answer is correct
            ``[..., K]``.
        """

    @abstractmethod
    def draw(self, logits: Tensor, temperature: float, uniforms: Tensor) -> Tensor:
        """Sample numbers ``[N, S]`` from outputs ``[N, O]``.

        Args:
            logits: outputs.
            temperature: divides the logits; 0 takes the most likely answer.
            uniforms: ``[N, S]`` random numbers in [0, 1), one for each sampled number.
        """


class CategoricalHead(Head):
    """One softmax per track, concatenated."""

    def __init__(self, width: int, classes: Sequence[int]) -> None:
        super().__init__(width, sum(classes))
        self.classes = list(classes)

    def score(self, logits: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        nats, right = [], []
        parts = torch.split(logits.float(), self.classes, -1)
        for part, truth in zip(parts, steps.unbind(-1), strict=True):
            flat = F.cross_entropy(part.flatten(0, -2), truth.flatten(), reduction="none")
            nats.append(flat.view_as(truth))
            right.append(part.detach().argmax(-1) == truth)
        return torch.stack(nats, -1), torch.stack(right, -1)

    def draw(self, logits: Tensor, temperature: float, uniforms: Tensor) -> Tensor:
        parts = torch.split(logits.float(), self.classes, -1)
        if temperature == 0:
            return torch.stack([part.argmax(-1) for part in parts], -1)
        drawn = [
            draw((part / temperature).softmax(-1), uniform)
            for part, uniform in zip(parts, uniforms.unbind(-1), strict=True)
        ]
        return torch.stack(drawn, -1)


class NadeHead(Head):
    """A neural autoregressive distribution (NADE) over the bits of a step, in fixed order.

    The dense layer outputs the hidden biases, then the bits' biases. Larochelle, Murray 2011; the
    reference follows Uria et al. 2016, https://arxiv.org/abs/1605.02226.
    """

    # `memory` is the hidden pre-activation after the bits so far: it starts at the hidden biases,
    # and every bit that is set adds its row of `enter`. The logit of a bit is its bias plus the
    # product of sigmoid(memory) with its row of `leave`, so it depends on earlier bits only.

    def __init__(self, width: int, bits: int, hidden: int) -> None:
        super().__init__(width, hidden + bits)
        self.sizes = [hidden, bits]
        self.enter = nn.Parameter(torch.empty(bits, hidden))
        self.leave = nn.Parameter(torch.empty(bits, hidden))
        deviation = bits**-0.5
        for weight in (self.enter, self.leave):
            nn.init.trunc_normal_(weight, std=deviation, a=-2 * deviation, b=2 * deviation)

    def score(self, logits: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        memory, biases = torch.split(logits.float(), self.sizes, -1)
        values = steps.to(memory.dtype)
        answers = []
        for bit, (enter, leave) in enumerate(zip(self.enter, self.leave, strict=True)):
            answers.append(memory.sigmoid() @ leave)
            memory = memory + values[..., bit, None] * enter
        logit = torch.stack(answers, -1) + biases  # [..., bits]
        signed = torch.where(steps.bool(), logit, -logit)
        floor = torch.full_like(signed, FLOOR).log()
        nats = -torch.logaddexp(F.logsigmoid(signed), floor).sum(-1, keepdim=True)
        right = ((logit.detach() >= 0) == steps.bool()).all(-1, keepdim=True)
        return nats, right

    def draw(self, logits: Tensor, temperature: float, uniforms: Tensor) -> Tensor:
        memory, biases = torch.split(logits.float(), self.sizes, -1)
        drawn = []
        for bit, (enter, leave) in enumerate(zip(self.enter, self.leave, strict=True)):
            logit = memory.sigmoid() @ leave + biases[:, bit]
            if temperature == 0:
                value = logit >= 0
            else:
                value = uniforms[:, bit] < (logit / temperature).sigmoid()
            memory = memory + value[:, None] * enter
            drawn.append(value)
        return torch.stack(drawn, -1).long()
