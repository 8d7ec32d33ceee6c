"""W&B's environment variables, where the config of a run has defaults of ours.

They are read when loggers are built, and never become part of the config: a run or sweep is the
same whoever logs it, and a checkpoint that is given away does not tell the name of a project.
"""

import os
from typing import Any

from omegaconf import DictConfig, OmegaConf

from symbotunes.config.overrides import named_keys

VARIABLES = {
    "project": "WANDB_PROJECT",
    "name": "WANDB_NAME",
    "entity": "WANDB_ENTITY",
    "group": "WANDB_RUN_GROUP",
    "job_type": "WANDB_JOB_TYPE",
    "tags": "WANDB_TAGS",  # separated by commas
    "notes": "WANDB_NOTES",
}
OFF = ("", "0", "false", "no", "off")


def with_environment(cfg: DictConfig) -> DictConfig | None:
    """``cfg.logger``, with what W&B's variables say about keys that the command line does not set.

    Args:
        cfg: of the run; it is not changed.
    """
    loggers = cfg.get("logger")
    if not loggers:
        return None
    named = named_keys(cfg)
    # Below its name, which messages about it give.
    whole = OmegaConf.create({"logger": OmegaConf.to_container(loggers, resolve=True)})
    result: DictConfig = whole.logger
    for name, node in result.items():
        if OmegaConf.is_dict(node) and str(node.get("_target_")).endswith(".SafeWandbLogger"):
            free = {str(key) for key in node if f"logger.{name!s}.{key}" not in named}
            result[name] = OmegaConf.merge(node, _from_variables(free))
    return result


def _from_variables(keys: set[str]) -> dict[str, Any]:
    """The values of the variables, as arguments of `SafeWandbLogger`."""
    values: dict[str, Any] = {
        key: os.environ[variable]
        for key, variable in VARIABLES.items()
        if key in keys and os.environ.get(variable)
    }
    if "tags" in values:
        values["tags"] = [tag.strip() for tag in values["tags"].split(",") if tag.strip()]
    if "mode" in keys and os.environ.get("WANDB_DISABLED", "").lower() not in OFF:
        values["mode"] = "disabled"
    if "save_dir" in keys and os.environ.get("WANDB_DIR"):
        values["files"] = os.path.expanduser(os.environ["WANDB_DIR"])  # noqa: PTH111
    return values
