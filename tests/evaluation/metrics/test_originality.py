"""Runs of notes that are found in another key and at another time."""

import numpy as np
import pytest
import symusic

from symbotunes.evaluation.metrics.notes import notes_of
from symbotunes.evaluation.metrics.originality import copied_notes

AIR = [(0, 12, 62), (12, 12, 64), (24, 24, 66), (48, 12, 69), (60, 36, 67), (96, 24, 66)]


def piece(*tracks, drums=()):
    """Notes of tracks of (start, duration, pitch), in 24ths of a quarter note."""
    score = symusic.Score(24)
    for notes in tracks:
        track = symusic.Track()
        for start, duration, pitch in notes:
            track.notes.append(symusic.Note(start, duration, pitch, 80))
        score.tracks.append(track)
    beats = symusic.Track(is_drum=True)
    for start, duration, pitch in drums:
        beats.notes.append(symusic.Note(start, duration, pitch, 80))
    score.tracks.append(beats)
    return notes_of(score)


def moved(notes, later=0, higher=0):
    return [(start + later, duration, pitch + higher) for start, duration, pitch in notes]


@pytest.mark.parametrize(("later", "higher"), [(0, 0), (7, 0), (0, -11), (100, 5)])
def test_a_copy_is_found_in_every_key_and_at_every_time(later, higher):
    other = moved(AIR, later, higher)
    assert copied_notes([piece(AIR)], [piece([(0, 6, 40), *other])]).tolist()[0] >= len(AIR)


def test_the_longest_run_of_one_training_piece_counts():
    head, tail = piece(AIR[:4]), piece(AIR[2:])
    assert copied_notes([head, tail], [piece(AIR)]).tolist() == [4]


@pytest.mark.parametrize("change", [(48, 12, 70), (49, 12, 69)])
def test_another_pitch_or_onset_ends_a_run(change):
    changed = [note if note[0] != 48 else change for note in AIR]
    assert copied_notes([piece(AIR)], [piece(changed)]).tolist() == [3]


def test_durations_drums_and_tracks_do_not_matter():
    short = [(start, 1, pitch) for start, _, pitch in AIR]
    same = piece(short[::2], short[1::2], drums=[(0, 12, 36), (30, 12, 38)])
    assert copied_notes([piece(AIR)], [same]).tolist() == [len(AIR)]


def test_a_single_note_is_no_copy():
    pieces = [piece(), piece([(0, 24, 60)]), piece([(0, 24, 60), (24, 24, 50)])]
    assert copied_notes([piece(AIR)], pieces).tolist() == [0, 0, 0]


def test_runs_equal_those_of_a_search_of_every_pair_of_places():
    random = np.random.default_rng(7)

    def drawn(count):
        starts = np.cumsum(random.choice([6, 12], count))
        return [(int(start), 6, int(pitch)) for start, pitch in
                zip(starts, random.integers(60, 63, count), strict=True)]  # fmt: skip

    training, pieces = ([drawn(size) for size in (30, 25, 40)] for _ in range(2))

    def run(ours, theirs, here, there):
        """Notes that agree from two places on, up to a move."""
        (start, _, pitch), (other_start, _, other_pitch) = ours[here], theirs[there]
        count = 0
        for (at, _, high), (other_at, _, other_high) in zip(
            ours[here:], theirs[there:], strict=False
        ):
            if (at - start, high - pitch) != (other_at - other_start, other_high - other_pitch):
                break
            count += 1
        return count

    expected = [
        max(run(ours, theirs, here, there) for theirs in training
            for here in range(len(ours)) for there in range(len(theirs)))
        for ours in pieces
    ]  # fmt: skip
    found = copied_notes([piece(notes) for notes in training], [piece(notes) for notes in pieces])
    assert found.tolist() == expected
