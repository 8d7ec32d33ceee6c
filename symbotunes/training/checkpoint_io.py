"""Writes checkpoints atomically."""

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from symbotunes.files import atomic_file


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes to a temporary file, then renames it: a checkpoint is never half-written or lost."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        if storage_options is not None:
            raise TypeError("checkpoints are local files and take no storage_options")
        with atomic_file(Path(path)) as file:
            torch.save(checkpoint, file)
