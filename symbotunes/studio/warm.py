"""Models that stay loaded, so that the next note does not wait for them."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from symbotunes.checkpoints.published import locate
from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.errors import UserError
from symbotunes.studio.menu import Entry, Stamp, stamp_of

MOST = 2  # the one that is chosen, and one that fills in bars where it cannot


class WarmModels:
    """The models used last.

    Args:
        most: that are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._loaded: OrderedDict[str, tuple[Stamp | None, TrainedModel]] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, entry: Entry, loading: Callable[[], None] = lambda: None) -> TrainedModel:
        """A model, loaded unless it is warm and its files are as they were.

        One whose files are gone is used as long as it stays warm.

        Args:
            entry: of the menu.
            loading: called if it has to be loaded.

        Raises:
            UserError: if it cannot be.
        """
        with self._lock:
            now = _stamp(entry)
            before, model = self._loaded.get(entry.id, (None, None))
            if model is None or now not in (None, before):
                loading()
                model = _load(entry)
                self._loaded[entry.id] = now, model
            self._loaded.move_to_end(entry.id)
            while len(self._loaded) > self._most:
                self._loaded.popitem(last=False)
            return model


def _stamp(entry: Entry) -> Stamp | None:
    """What changes when the file of a model is written anew; ``None`` if it is gone."""
    try:
        return stamp_of(locate(Path(entry.id).expanduser()))
    except (OSError, UserError):
        return None


def _load(entry: Entry) -> TrainedModel:
    try:
        model = TrainedModel.load(entry.id)
    except (UserError, OSError) as error:
        raise UserError(f"{entry.name} cannot be loaded: {error}") from error
    # The network has a copy of them.
    model.checkpoint = replace(model.checkpoint, weights={})
    return model
