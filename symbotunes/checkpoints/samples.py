"""Samples of a checkpoint, rendered to a folder."""

from pathlib import Path

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from symbotunes.checkpoints.checkpoint import Checkpoint
from symbotunes.checkpoints.likeness import with_likeness
from symbotunes.checkpoints.names import shown_name
from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.generation.compose import Plan
from symbotunes.generation.latent.plan import Training
from symbotunes.generation.seeds import seed_everything
from symbotunes.render.forms import chosen_forms
from symbotunes.render.gallery import refuse_other_files, write_gallery


def write_samples(
    checkpoint: Checkpoint,
    plan: Plan,
    *,
    seed: int,
    folder: Path,
    training: Training | None = None,
    trained_on: Encoded | None = None,
) -> Path:
    """Sample a checkpoint and render the samples.

    Args:
        checkpoint: of the model.
        plan: what to sample, and how.
        seed: from which that of every sample is made, unless the plan gives them.
        folder: for the files.
        training: reads the data that the checkpoint was trained on, for plans that need them.
        trained_on: the same, if they are at hand, for what each sample shares with them.

    Returns:
        The listening page.

    Raises:
        UserError: if the network, the prompt or an input cannot be read, or the folder cannot be
            written or holds files of others that samples would replace.
    """
    forms = chosen_forms("sample.forms", plan.forms)
    refuse_other_files(folder)
    path = checkpoint.path
    model = TrainedModel(checkpoint)
    seed_everything(seed)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(f"Sampling from {path}", total=None)
        composition = model.compose(
            plan,
            seed,
            on_step=lambda done: progress.update(task, description=f"Sampling: token {done:,}"),
            training=training,
        )
        for name, description in composition.inputs.items():
            progress.console.print(f"{name}  {description}", soft_wrap=True, markup=False)
        samples = composition.samples
        if trained_on is not None:
            samples = with_likeness(samples, trained_on)
        progress.update(task, description="Rendering notation, piano roll and audio")
        facts = {
            "model": str(checkpoint.config.name),
            "checkpoint": shown_name(path),
            "trained for": f"{checkpoint.steps:,} steps",
            **composition.facts,
            **composition.inputs,
            "seed": str(seed),
        }
        try:
            return write_gallery(
                folder,
                samples,
                heading=f"Samples of {checkpoint.config.name}",
                facts=facts,
                strip=composition.strip,
                forms=forms,
            )
        except OSError as error:
            reason = error.strerror or error
            raise UserError(f"samples cannot be written to {folder}: {reason}") from error
