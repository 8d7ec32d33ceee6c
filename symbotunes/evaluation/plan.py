"""What an evaluation measures, and on how much."""

from dataclasses import dataclass

import torch

from symbotunes.data.split import SPLITS
from symbotunes.errors import UserError, require_whole_number
from symbotunes.evaluation.metrics.bootstrap import LEAST_UNITS, Bootstrap


@dataclass(frozen=True)
class EvaluationPlan:
    """What is measured, and how closely.

    Attributes:
        num_samples: tunes to generate; as many held-out tunes are measured for comparison.
        split: whose pieces are measured: ``test``, ``val``, or ``train`` for what a latent model
            remembers.
        references: held-out tunes of its kind that each tune is compared with by BLEU and ROUGE.
        ngram: n of the n-grams that are looked up in the training tunes.
        resamples: bootstrap draws per confidence interval.
        confidence: share of the draws inside an interval.
        device: ``auto`` takes a GPU if there is one, else it is a name such as ``cpu``.
        windows: maximum held-out windows that a latent model reads.
        pairs: interpolations of a latent model.
        prior: windows that a latent model writes from its prior.
        infills: held-out tunes in which a model that was trained to fill in writes bars anew.
        infill_bars: how many neighboring bars in each.

    Raises:
        UserError: if a value is out of range.
    """

    num_samples: int
    split: str
    references: int
    ngram: int
    resamples: int
    confidence: float
    device: str
    windows: int = 5000
    pairs: int = 256
    prior: int = 1000
    infills: int = 200
    infill_bars: int = 4

    def __post_init__(self) -> None:
        for name in (
            "num_samples", "references", "ngram", "windows", "pairs", "prior", "infills",
            "infill_bars",
        ):  # fmt: skip
            require_whole_number(f"evaluate.{name}", getattr(self, name))
        if self.split not in SPLITS:
            raise UserError(f"evaluate.split={self.split}: choose one of {', '.join(SPLITS)}")
        _ = self.bootstrap(0), self.torch_device

    def require_held_out(self) -> None:
        """Raise `UserError` if the split is the training split."""
        if self.split == "train":
            raise UserError(
                "evaluate.split=train: only a latent model can be evaluated on what it was trained "
                "on; choose val or test"
            )

    def bootstrap(self, seed: int) -> Bootstrap:
        """The part that intervals need."""
        try:
            return Bootstrap(self.resamples, self.confidence, seed)
        except (ValueError, TypeError) as error:
            raise UserError(f"evaluate: {error}") from error

    @property
    def interval_words(self) -> str:
        """What intervals are, for readers."""
        return (
            f"{100 * self.confidence:g} %, {self.resamples:,} bootstrap draws; none of fewer than "
            f"{LEAST_UNITS} families or samples"
        )

    @property
    def torch_device(self) -> torch.device:
        """Where the network runs."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            return torch.empty(0, device=self.device).device
        except (RuntimeError, AssertionError) as error:
            raise UserError(f"evaluate.device={self.device}: there is no such device") from error
