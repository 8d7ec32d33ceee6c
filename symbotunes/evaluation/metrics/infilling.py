"""Figures of bars that a model fills in, with confidence intervals over tunes."""

from dataclasses import dataclass

import numpy as np

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Floats, Interval, ratio
from symbotunes.evaluation.metrics.figure import Figure, Metrics, share


@dataclass(frozen=True)
class Infills:
    """Held-out tunes, in each of which some bars were written anew.

    Attributes:
        both_nats: ``[N]`` negative log-likelihood of the music of the true bars, given what stands
            before and after them.
        left_nats: ``[N]`` the same, given what stands before them alone.
        notes: ``[N]`` notes written in the true bars.
        restored: ``[N]`` 1 where the new bars equal the true ones, else 0.
        well_formed: ``[N]`` 1 where the tune with new bars has no more errors and wrong bars than
            it had before, else 0.
        bootstrap: how tunes are resampled.
    """

    both_nats: Floats
    left_nats: Floats
    notes: Floats
    restored: Floats
    well_formed: Floats
    bootstrap: Bootstrap

    def per_note(self, nats: Floats) -> Interval:
        """Nats over notes."""
        return self.bootstrap.interval(np.stack([nats, self.notes], axis=1), ratio)

    def mean(self, values: Floats) -> Interval:
        """The mean over tunes."""
        return self.bootstrap.interval(np.stack([values, np.ones_like(values)], axis=1), ratio)


INFILLING: Metrics[Infills, Interval] = Metrics()


@INFILLING.register(
    Figure(
        "infill_nats",
        "nats per note, both sides given",
        "Negative log-likelihood of the music of the true bars given what stands before and after "
        "them, over the notes written in them; bar signs and sentinels do not count.",
        "lower",
        unit="nats per note",
        decimals=3,
    )
)
def infill_nats(infills: Infills) -> Interval:
    """Nats of the true bars where the model fills in."""
    return infills.per_note(infills.both_nats)


@INFILLING.register(
    Figure(
        "left_nats",
        "nats per note, left side given",
        "The same of the same music where the model reads the tune from left to right.",
        "lower",
        unit="nats per note",
        decimals=3,
    )
)
def left_nats(infills: Infills) -> Interval:
    """Nats of the true bars where the model continues."""
    return infills.per_note(infills.left_nats)


@INFILLING.register(
    Figure(
        "infill_gain",
        "gain of the right side",
        "By how many nats per note the true bars are likelier if what follows them is known, too.",
        "higher",
        unit="nats per note",
        decimals=3,
    )
)
def infill_gain(infills: Infills) -> Interval:
    """The difference of the two, tune by tune."""
    return infills.per_note(infills.left_nats - infills.both_nats)


@INFILLING.register(
    share(
        "infill_restored",
        "fills that restore the tune",
        "Tunes whose new bars equal the true ones token by token.",
        "higher",
    )
)
def infill_restored(infills: Infills) -> Interval:
    """The share of exact fills."""
    return infills.mean(infills.restored)


@INFILLING.register(
    share(
        "infill_well_formed",
        "well-formed with new bars",
        "Tunes into which the bars that were written anew under the constraint brought neither a "
        "grammar error nor a wrong bar.",
        "higher",
    )
)
def infill_well_formed(infills: Infills) -> Interval:
    """The share of tunes that are whole again."""
    return infills.mean(infills.well_formed)
