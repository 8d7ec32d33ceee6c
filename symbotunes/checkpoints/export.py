"""A trained model as a folder for the Hugging Face hub."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HFValidationError
from omegaconf import OmegaConf

from symbotunes.checkpoints.card import Card, best_loss, model_card, read_report
from symbotunes.checkpoints.checkpoint import FINETUNE, FORMAT, KEPT, Checkpoint, unpack
from symbotunes.checkpoints.formats.hugging_face import UNREACHABLE, write_model
from symbotunes.checkpoints.published import CONFIG, DTYPES, WEIGHTS, is_published, write_folder
from symbotunes.checkpoints.reopen import rebuild
from symbotunes.checkpoints.samples import write_samples
from symbotunes.errors import UserError, first_line, require_whole_number
from symbotunes.files import atomic_folder
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.published import to_transformers
from symbotunes.render.forms import FORMS

CARD, SAMPLES, TRANSFORMERS = "README.md", "samples", "transformers"
REFUSALS: tuple[type[Exception], ...] = (*UNREACHABLE, HFValidationError)
OWN = {CONFIG, WEIGHTS, CARD, SAMPLES, TRANSFORMERS}  # all that an export writes


@dataclass(frozen=True)
class ExportPlan:
    """What to export; ``conf/export/default.yaml`` explains the keys.

    Raises:
        UserError: if a value is not one of the choices.
    """

    out: str | None
    dtype: str
    title: str | None
    license: str | None
    data: str | None
    report: str | None
    samples: int
    forms: Sequence[str]
    transformers: bool
    push: str | None
    private: bool

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise UserError(f"export.dtype={self.dtype}: choose one of {', '.join(DTYPES)}")
        require_whole_number("export.samples", self.samples, least=0)
        if unknown := sorted(set(self.forms) - set(FORMS)):
            raise UserError(f"export.forms={unknown}: choose some of {', '.join(FORMS)}")


def write_export(
    checkpoint: Checkpoint,
    plan: ExportPlan,
    sampling: SamplePlan,
    *,
    seed: int,
    folder: Path,
) -> None:
    """Write the folder, completely or not at all; an earlier export there is replaced.

    The samples are made with the exported folder itself, so they show what others will load.

    Raises:
        UserError: if the folder contains other files, or the model cannot be exported as requested.
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names and (names - OWN or not is_published(folder)):
        raise UserError(f"{folder} contains other files; set export.out to a new folder")
    metrics = [*best_loss(checkpoint), *(read_report(Path(plan.report)) if plan.report else [])]
    net, tokenizer = rebuild(checkpoint)
    with atomic_folder(folder) as draft:
        write_folder(draft, net.state_dict(), describe(checkpoint), plan.dtype)
        if plan.transformers:
            vocabulary = tokenizer.model_vocabulary
            if vocabulary.used is not None:
                raise UserError(
                    f"export.transformers=true: the network has weights for {vocabulary.rows:,} of "
                    f"{vocabulary.size:,} ids only, and the transformers library needs all"
                )
            write_model(draft / TRANSFORMERS, *to_transformers(net, vocabulary))
        card = Card(
            title=plan.title or str(checkpoint.config.name),
            license=plan.license,
            data=plan.data,
            parameters=sum(parameter.numel() for parameter in net.parameters()),
            dtype=plan.dtype,
            metrics=metrics,
            samples=_write_samples(draft, plan, sampling, seed),
            name=f"hub:{plan.push}" if plan.push else "FOLDER",
        )
        (draft / CARD).write_text(model_card(checkpoint, card), encoding="utf-8")


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """The content of ``config.json``: what a model needs for sampling, evaluation and fine-tuning.

    Absolute paths are cut to their last part.
    """
    keys = [key for key in (*KEPT, FINETUNE) if checkpoint.config.get(key) is not None]
    kept = {key: checkpoint.config[key] for key in keys}
    config = _portable(OmegaConf.to_container(OmegaConf.create(kept), resolve=True))
    config["loader"].pop("cache", None)
    for step in config["transforms"].values():
        step |= {"files": None} if "files" in step else {}  # they are in the tokenizer's state
    return {
        "format": FORMAT,
        "config": config,
        "tokenizer": checkpoint.tokenizer,
        "data": checkpoint.data,
        **({"identity": checkpoint.identity.as_dict()} if checkpoint.identity else {}),
        "steps": checkpoint.steps,
        "tokens": checkpoint.tokens,
    }


def _portable(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _portable(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_portable(value) for value in node]
    if isinstance(node, str) and (node.startswith("~") or Path(node).is_absolute()):
        return Path(node).name
    return node


def _write_samples(draft: Path, plan: ExportPlan, sampling: SamplePlan, seed: int) -> list[str]:
    """Write samples; returns the names of their files, relative to the draft."""
    if not plan.samples:
        return []
    folder = draft / SAMPLES
    folder.mkdir()
    names = []
    with tempfile.TemporaryDirectory() as space:
        drawn = Path(space)
        write_samples(
            unpack(draft),
            replace(sampling, num=plan.samples, forms=list(plan.forms)),
            seed=seed,
            folder=drawn,
        )
        table = json.loads((drawn / "samples.json").read_text(encoding="utf-8"))
        for row in table["samples"]:
            for form in plan.forms:
                if form in row["files"]:
                    shutil.copyfile(drawn / row["files"][form], folder / row["files"][form])
                    names.append(f"{SAMPLES}/{row['files'][form]}")
    return names


def hub_api() -> HfApi:
    """The hub's API, with a token to write.

    Raises:
        UserError: if there is no token.
    """
    if get_token() is None:
        raise UserError("export.push needs a token: set HF_TOKEN, or run `hf auth login`")
    return HfApi()


def push(api: HfApi, folder: Path, name: str, *, private: bool) -> str:
    """Upload the folder to a repository, created if necessary; returns its address.

    Raises:
        UserError: if the hub refuses or cannot be reached.
    """
    try:
        api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="Export of Symbotunes")
    except REFUSALS as error:
        raise UserError(
            f"export.push={name}: {first_line(error)} (the export itself is in {folder})"
        ) from error
    return f"https://huggingface.co/{name}"
