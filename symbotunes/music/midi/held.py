"""Notes that hang: note-ons whose note-off never comes, or comes when the music is over.

A key is a channel of a track and a pitch. symusic ends its notes first in, first out, which is
right as long as every note-on has its note-off: then notes of one pitch may overlap. A single
note-on without one makes each note-off end the note before its own, to the end of the track. So
such a note-on is told apart, and what sounds is ended where the pitch is struck again.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.decoding import ChannelEvents, Integers

CHAIN = 4  # notes struck, one after another, while another of their pitch is held: none means that
SHORTEST_OVERLAP = 1 / 16  # quarters; notes that overlap by less are played legato


@dataclass
class Held:
    """What to change in a file, by index of channel events.

    Attributes:
        ended_before: note-ons before which a note-off of their key belongs.
        removed: events that mean nothing.
    """

    ended_before: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)


@dataclass
class _Note:
    """A note-on while its note-off is sought.

    Attributes:
        index: of the note-on, among those of its key.
        inner: (note-on, note-off) of the notes that began and ended since, without those inside.
        nested: whether one of them held another one.
    """

    index: int
    inner: list[tuple[int, int]] = field(default_factory=list)
    nested: bool = False


def held_notes(channel: ChannelEvents, ticks_per_quarter: int) -> Held:
    """The notes that hang, in all keys."""
    kind = channel.status >> 4
    sounding = np.flatnonzero((kind == 8) | (kind == 9))
    owner = channel.track[sounding] << 4 | channel.status[sounding] & 15
    seen = np.bincount(owner) > 0
    key = (np.cumsum(seen) - 1)[owner] << 7 | channel.first[sounding]
    # NumPy sorts 16 bits three times as fast as 64, and few files have more than 512 channels.
    order = np.argsort(key.astype(np.min_scalar_type(key.max(initial=0))), kind="stable")
    index, key = sounding[order], key[order]
    is_on = (kind[index] == 9) & (channel.second[index] > 0)
    held = Held()
    for first, last in _suspects(key, is_on):
        _judge(index[first:last], is_on[first:last].tolist(), channel, ticks_per_quarter, held)
    return held


def _suspects(key: Integers, is_on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where the events of the keys are that may have a note that hangs and is struck again.

    Such a key has two note-ons in a row, and either does not fall silent in the end or sounds
    through many events.
    """
    if not (is_on[1:] & is_on[:-1] & (key[1:] == key[:-1])).any():
        return []
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    ends = np.append(begins[1:], len(key))
    rank = np.repeat(np.arange(len(begins)), ends - begins)
    # How many notes sound after each event. A note-off without a note lowers the floor instead; the
    # ranks lower it more than all events of a key can, so that each key begins at its own floor.
    balance = np.cumsum(np.where(is_on, 1, -1))
    depth = balance - np.append(0, balance)[begins][rank] - rank * (len(key) + 1)
    sounding = depth - np.minimum.accumulate(np.minimum(depth, -rank * (len(key) + 1)))
    silent = np.where(sounding == 0, np.arange(len(key)), -1)
    silent[begins] = np.maximum(silent[begins], begins - 1)
    since = np.arange(len(key)) - np.maximum.accumulate(silent)
    longest = np.maximum.reduceat(since, begins)
    suspect = (sounding[ends - 1] > 0) | (longest > 2 * CHAIN)
    return list(zip(begins[suspect].tolist(), ends[suspect].tolist(), strict=True))


def _judge(
    index: Integers, is_on: list[bool], channel: ChannelEvents, quarter: int, held: Held
) -> None:
    """Add what to change in the events of one key.

    Note-offs are matched to the last note-on before them, like brackets: the note-ons left over are
    those that no note-off is left for.
    """
    ticks = channel.tick[index].tolist()
    strikes = [i for i, on in enumerate(is_on) if on]
    open_notes: list[_Note] = []
    hanging: list[tuple[int, int | None]] = []  # note-on, and the note-off that is not its own
    for i, on in enumerate(is_on):
        if on:
            open_notes.append(_Note(i))
            continue
        if not open_notes:
            continue  # a note-off without a note
        note = open_notes.pop()
        if _is_chain(note, ticks, quarter):
            hanging.append((note.index, i))
        elif open_notes:
            open_notes[-1].inner.append((note.index, i))
            open_notes[-1].nested |= bool(note.inner)
    hanging += [(note.index, None) for note in open_notes]
    for hung, off in hanging:
        if off is not None:
            held.removed.append(int(index[off]))
        _end(hung, strikes, ticks, index, held)


def _is_chain(note: _Note, ticks: list[int], quarter: int) -> bool:
    """Whether one note seems to be held while others of its pitch come and go inside it."""
    return (
        len(note.inner) >= CHAIN
        and not note.nested
        and all(ticks[off] - ticks[on] >= SHORTEST_OVERLAP * quarter for on, off in note.inner)
    )


def _end(on: int, strikes: list[int], ticks: list[int], index: Integers, held: Held) -> None:
    """End a note where its pitch is struck next; if that is at once, it is not played twice."""
    later = strikes[np.searchsorted(strikes, on, side="right") :]
    if not later:
        return  # never struck again: symusic leaves it out
    if ticks[later[0]] == ticks[on]:
        held.removed.append(int(index[on]))
    else:
        held.ended_before.append(int(index[later[0]]))
