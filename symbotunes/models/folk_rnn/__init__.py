"""Folk-RNN, and the weights that its authors published."""

from symbotunes.models.folk_rnn.network import FolkRNN

__all__ = ["FolkRNN"]
