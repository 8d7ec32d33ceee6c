"""Variables of Magenta's models, as their code left them; see reference/README.md."""

from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).parent / "reference"


def variables_of(name):
    """Arrays of a model by TensorFlow's names."""
    with np.load(REFERENCE / f"{name}.npz") as file:
        names = [name for name in file.files if name.startswith("variables|")]
        return {name.removeprefix("variables|").replace("|", "/"): file[name] for name in names}
