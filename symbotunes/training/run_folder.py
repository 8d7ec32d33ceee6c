"""A run folder belongs to one run: no other replaces what that has left."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from symbotunes.config.commands import setting
from symbotunes.errors import UserError
from symbotunes.files import read_json
from symbotunes.system.locks import refuse_owned
from symbotunes.system.owner import Owner, age

RECORD = "run.json"
SWEEP = "sweep.yaml"
ELSEWHERE = "for a new one, set hydra.run.dir to another folder"


def refuse_other_run(folder: Path, *, resumes: bool) -> None:
    """See that a folder is free for a run; nothing is written.

    What a training has left that never began, such as one whose data could not be read, is nobody's
    and does not count.

    Args:
        folder: where the run is to write.
        resumes: whether the run goes on from ``checkpoints/last.ckpt`` there.

    Raises:
        UserError: if it holds another run or a sweep, or files that a run would replace.
    """
    if not folder.is_dir():
        return
    refuse_owned(folder)
    if (folder / SWEEP).is_file():
        raise UserError(f"{folder} holds a sweep; set hydra.run.dir to another folder")
    record = read_json(folder / RECORD)
    checkpoints = sorted(path.name for path in folder.glob("checkpoints/*.ckpt"))
    if resumes and (not checkpoints or "last.ckpt" in checkpoints):
        return
    if checkpoints or has_begun(record):
        named = f" ({described(record)})" if record else ""
        kept = f" with {checkpoints[-1]}" if checkpoints and not record else ""
        goes_on = ""
        if "last.ckpt" in checkpoints:
            goes_on = f"to go on with it, add resume=auto or {setting('ckpt', folder)}; "
        raise UserError(f"{folder} already holds a run{named}{kept}; {goes_on}{ELSEWHERE}")
    foreign = [name for name in ("config.yaml", "metrics.csv") if (folder / name).exists()]
    if foreign and not record:
        raise UserError(f"{folder} holds {foreign[0]}, which no run has written; {ELSEWHERE}")


def writes_run_folder(cfg: DictConfig) -> bool:
    """Whether a mode writes its results to the run folder, and not elsewhere or nowhere."""
    if cfg.mode in ("sample", "export"):
        return cfg[cfg.mode].out is None
    return cfg.mode in ("train", "convert", "evaluate", "compare", "listen")


def has_begun(record: Mapping[str, Any]) -> bool:
    """Whether a training got as far as a step, or to its end."""
    return record.get("status") == "finished" or bool(record.get("step"))


def status_of(record: Mapping[str, Any]) -> str:
    """The state of a run or job by its record; ``killed`` if it still says that a dead one runs."""
    status = str(record.get("status"))
    owner = Owner.of(record)
    return "killed" if status == "running" and owner is not None and owner.is_dead else status


def last_heard(record: Mapping[str, Any]) -> str:
    """When the process of a record last gave a sign of life, in words."""
    since = age(record.get("updated_utc") or record.get("started_utc"))
    return f"last heard of {since}" if since else "without a sign of life"


def described(record: Mapping[str, Any]) -> str:
    """A run in a few words, such as ``folk_rnn_small, finished at step 1,000``."""
    status, step = status_of(record), int(record.get("step") or 0)
    words = [str(record["name"])] if record.get("name") else []
    words.append(f"{status} at step {step:,}")
    owner = Owner.of(record)
    if status == "running" and (owner is None or not owner.is_here):
        words.append(f"on {record.get('host') or 'another machine'}, {last_heard(record)}")
    return ", ".join(words)
