"""Performance RNN, and the weights that its authors published."""

from symbotunes.models.performance_rnn.network import PerformanceRNN

__all__ = ["PerformanceRNN"]
