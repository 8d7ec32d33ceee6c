"""An LSTM over the steps of music in four voices."""

from symbotunes.models.voice_rnn.network import VoiceRNN

__all__ = ["VoiceRNN"]
