"""How much faster are we than note-seq at turning MIDI files into melodies?

    python tests/benchmarks/extraction_speed.py FOLDER [--seconds 20]

Both read every file and extract its two-bar melodies (programs 0 to 31) in this one process. The
steps around note-seq (windows, distinct ones, classes) are as short as they can be, so that the
ratio is rather too low than too high. Needs `pip install note-seq`, which brings many packages.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from symbotunes.music.grid.drums import drum_windows
from symbotunes.music.grid.melody import melody_windows
from symbotunes.music.grid.quantize import quantize
from symbotunes.music.grid.trio import trio_windows
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import read_midi

Rows = list[tuple[int, ...]]


def ours(data: bytes) -> Rows:
    """Two-bar melodies, by this package."""
    try:
        return [tuple(row) for row in melody_windows(quantize(read_midi(data))).rows.tolist()]
    except MidiError:
        return []


def theirs(data: bytes) -> Rows:
    """Two-bar melodies, by note-seq and MusicVAE's rules."""
    import note_seq  # noqa: PLC0415 - absent from most machines

    try:
        piece = note_seq.midi_to_note_sequence(data)
    except note_seq.MIDIConversionError:
        return []
    rows: Rows = []
    for section in note_seq.sequences_lib.split_note_sequence_on_time_changes(piece):
        kept = [n for n in section.notes if n.program < 32 and 21 <= n.pitch <= 108]
        del section.notes[:]
        section.notes.extend(kept)
        grid = note_seq.quantize_note_sequence(section, 4)
        if note_seq.steps_per_bar_in_quantized_sequence(grid) == 16:
            rows += _windows(grid)
    return rows


def _windows(grid) -> set[tuple[int, ...]]:
    """Distinct windows of all melodies of one note-seq section."""
    import note_seq  # noqa: PLC0415

    found = set()
    for instrument in {note.instrument for note in grid.notes}:
        begin = 0
        while True:
            melody = note_seq.Melody()
            melody.from_quantized_sequence(
                grid, begin, instrument, ignore_polyphonic_notes=True, pad_end=True
            )
            if not melody:
                break
            begin = melody.end_step
            melody.set_length(min(len(melody), 1600))
            for end in range(32, len(melody) + 1, 16):
                window = melody[end - 32 : end]
                found.add(tuple(event + 2 if event < 0 else event - 19 for event in window))
    return found


def seconds_per_file(
    job: Callable[[bytes], object], files: list[bytes], budget: float
) -> tuple[float, int]:
    """CPU seconds that the job takes per file, and how many files it got through."""
    done, start, until = 0, time.process_time(), time.perf_counter() + budget
    while time.perf_counter() < until and done < max(len(files), 200):
        job(files[done % len(files)])
        done += 1
    return (time.process_time() - start) / done, done


def main() -> None:
    """Print milliseconds per file and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="searched for .mid and .midi, at any depth")
    parser.add_argument("--seconds", type=float, default=20.0, help="time that each side gets")
    options = parser.parse_args()
    paths = [p for p in options.folder.rglob("*") if p.suffix.lower() in (".mid", ".midi")]
    files = [path.read_bytes() for path in sorted(paths)]
    if not files:
        raise SystemExit(f"no MIDI files in {options.folder}")
    try:
        theirs(files[0])
    except ImportError:
        raise SystemExit("note-seq is needed for the comparison: pip install note-seq") from None
    agreeing = sum(sorted(ours(data)) == sorted(theirs(data)) for data in files[:20])
    print(f"the same melodies from {agreeing} of the first {min(len(files), 20)} files")
    slow, count = seconds_per_file(theirs, files, options.seconds)
    fast, _ = seconds_per_file(ours, files, options.seconds)
    print(f"note-seq {slow * 1e3:9.2f} ms a file (CPU time, {count} files)")
    print(f"ours     {fast * 1e3:9.2f} ms a file, {slow / fast:.0f} times faster")
    for name, extract in (("drums", drum_windows), ("trios of 16 bars", trio_windows)):
        each, _ = seconds_per_file(_reading(extract), files, options.seconds / 4)
        print(f"ours, reading and {name}: {each * 1e3:.2f} ms a file")


def _reading(extract: Callable[..., object]) -> Callable[[bytes], object]:
    def job(data: bytes) -> object:
        try:
            return extract(quantize(read_midi(data)), 16 if extract is trio_windows else 2)
        except MidiError:
            return None

    return job


if __name__ == "__main__":
    main()
