"""How much of a sample is copied from a training tune, told on its page."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from symbotunes.checkpoints.checkpoint import Checkpoint
from symbotunes.data.cache.encoded import DamagedCache, Encoded, load, read_about
from symbotunes.evaluation.metrics.copying import copies
from symbotunes.evaluation.training_sample import sample_training
from symbotunes.generation.sample import Sample

MOST_TOKENS = 2_000_000  # of training that samples are compared with: a second or two


def data_at_hand(checkpoint: Checkpoint, cache: Path) -> Encoded | None:
    """The training data of a checkpoint, if they lie prepared in a folder; ``None`` otherwise.

    Found by their fingerprint or content, without opening the dataset itself, which may be large
    or gone.

    Args:
        checkpoint: of the model.
        cache: folder of prepared corpora.
    """
    content = checkpoint.identity.content if checkpoint.identity is not None else None
    for folder in sorted(cache.iterdir()) if cache.is_dir() else ():
        try:
            about = read_about(folder)
            is_same = about["fingerprint"] == checkpoint.data or about["content"] == content
            if is_same and about["tokenizer"] == checkpoint.tokenizer:
                return load(folder)
        except (DamagedCache, OSError, KeyError):
            continue
    return None


def with_likeness(samples: Sequence[Sample], encoded: Encoded) -> tuple[Sample, ...]:
    """Samples with the longest run of tokens that each shares with a training tune.

    The beginning that a sample was given counts like what the model wrote.

    Args:
        samples: of a model; those without ids, such as windows, stay as they are.
        encoded: the data that the model was trained on.
    """
    training = sample_training(encoded, MOST_TOKENS, seed=0)
    shared = copies(training.ids, [sample.ids for sample in samples])
    among = "" if training.is_all else f" among {training.size}"
    told: list[Sample] = []
    for sample, copied in zip(samples, shared, strict=True):
        if not sample.ids:
            told.append(sample)
            continue
        run = f"{copied.longest} of {len(sample.ids)} tokens"
        source = copied.source
        title = "" if source is None else encoded.title(int(training.examples[source]))
        words = f"longest run shared with a training tune{among}: {run}"
        told.append(replace(sample, likeness=f"{words}, {title}" if title else words))
    return tuple(told)
