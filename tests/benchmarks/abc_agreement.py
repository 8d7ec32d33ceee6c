"""Do our tokens sound like the tunes they were made from? The judge is abc2midi.

    python tests/benchmarks/abc_agreement.py [--every 1] [--show 5] [PATH]

For every tune that is kept, abc2midi plays the original and the ABC that we write of its tokens;
they agree if all notes have the same onsets, durations and, up to one transposition of the whole
tune, the same pitches. Our own playback of the tokens is compared too.

What the tokens leave out on purpose is taken out of the original first: grace notes, ornaments and
articulation, chord names, voices but the first; and blank lines, which end a tune for abc2midi.

abc2midi drops things, too, and what both drop agrees. So orders of parts (``P:``) stay in the
original, chords in plus signs (``+DA+``) are played by ``-OCC``, and everything of which abc2midi
complains in an original is counted: stray numbers, endings at the beginning of a line, accidentals
before decorations, all of which it leaves out.

Some tunes differ on purpose. After ``|1 .. :|2 .. ||`` a later ``:|`` goes back to the double bar;
abc2midi goes back to the first section and leaves out its endings (some 50 tunes).
"""

import argparse
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import symusic

from symbotunes.datasets.abc_folder import AbcFiles
from symbotunes.datasets.base import Dropped
from symbotunes.datasets.folk import COLLECTIONS, Folk
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.playback import notes
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.text import to_abc
from symbotunes.music.abc.tune import AbcTune

Heard = list[tuple[float, float, int]]  # onset and duration in quarters, pitch
TOLERANCE = 0.011  # quarters: five of abc2midi's 480 ticks, for tuplets that it rounds
ORNAMENTS = re.compile(r'"[^"\n]*"|![^!|\n]+!|!|\{[^}|]*\}|[~.HLMOPSTuvJRk](?=[^:\n])')

PLUS_CHORD = re.compile(r"\+(?!f+\+)(?:[\^_=]*[A-Ga-g][,'0-9/]*-?\s*)+\+")
POSITION = re.compile(r"Error in line-char [0-9-]+ : *")  # before what abc2midi complains of
VOICE = re.compile(r"V:[ \t]*([^\s\]]+).*|\[V:[ \t]*([^\s\]]+)[^\]]*\]")


@dataclass(frozen=True)
class Verdict:
    """How one tune fared.

    Attributes:
        id: of the tune.
        outcome: ``agrees`` or what differs.
        own_playback_agrees: whether our playback of the tokens is abc2midi's of the ABC we write.
        complaints: of abc2midi about the ABC that we write.
        dropped: what abc2midi complains of in the original, and does not play as written.
    """

    id: str
    outcome: str
    own_playback_agrees: bool
    complaints: tuple[str, ...]
    dropped: tuple[str, ...]


def plain(text: str) -> str:
    """The tune without what the tokens leave out."""
    lines = []
    for line in first_voice(text):
        is_field = re.match(r"^[A-Za-z]:", line)
        kept = re.match(r"^[XTMLKP]:", line)
        if not is_field:
            lines.append(ORNAMENTS.sub("", re.sub(r"%.*$", "", line)))
        elif kept:
            lines.append(re.sub(r"\s*%.*$", "", line))
    lines = [line for line in lines if line.strip()]
    return re.sub(r"^X:.*$", "X:1", "\n".join(lines), count=1, flags=re.MULTILINE) + "\n"


def first_voice(text: str) -> Iterator[str]:
    """The lines of the head and of the voice named first; of others only their fields."""
    first = voice = None
    for line in text.split("\n"):
        named = VOICE.match(line)
        if named:
            voice = named[1] or named[2]
            first = first or voice
        if line.startswith("K:"):
            voice = first  # the head may name voices, too
        if voice == first or re.match(r"^[A-Za-z]:", line):
            yield line[named.end() :] if named else line


def strum_free(abc: str) -> str:
    """The tune with chords struck at once: abc2midi rolls them by ten ticks a note."""
    return abc.replace("\nM:", "\n%%MIDI chordattack 0\nM:", 1)


def play(abc: str) -> tuple[Heard, tuple[str, ...]]:
    """What abc2midi plays, and its errors."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "tune.abc", Path(folder) / "tune.mid"
        source.write_text(strum_free(abc), encoding="utf-8")
        done = subprocess.run(
            [
                *("abc2midi", str(source), "-o", str(target), "-NGUI", "-NGRA", "-silent"),
                *(["-OCC"] if PLUS_CHORD.search(abc) else []),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        errors = tuple(line for line in done.stdout.splitlines() if "Error" in line)
        if not target.is_file():
            return [], (*errors, "no MIDI written")
        score = symusic.Score(target)
    per_quarter = score.ticks_per_quarter
    found = [
        (note.time / per_quarter, note.duration / per_quarter, note.pitch)
        for track in score.tracks[:1]
        for note in track.notes
    ]
    return sorted(found), errors


def own(tokens: list[str]) -> Heard:
    """What our own playback makes of the tokens."""
    return sorted((float(n.onset), float(n.duration), n.pitch) for n in notes(tokens))


def difference(one: Heard, other: Heard) -> str:
    """``agrees``, or the first kind of difference."""
    if len(one) != len(other):
        return "number of notes"
    if not one:
        return "silence"
    shift = one[0][2] - other[0][2]
    for (on_a, long_a, pitch_a), (on_b, long_b, pitch_b) in zip(one, other, strict=True):
        if abs(on_a - on_b) > TOLERANCE:
            return "onset"
        if pitch_a - pitch_b != shift:
            return "pitch"
        if abs(long_a - long_b) > TOLERANCE:
            return "duration"
    return "agrees"


def judge(tune: AbcTune) -> Verdict | None:
    """Compare one tune; ``None`` if it is not kept."""
    try:
        tokens = normalize(parse(tune.text))
    except AbcError:
        return None
    original, dropped = play(plain(tune.text))
    written, complaints = play(to_abc(tokens, title=tune.title))
    return Verdict(
        tune.id,
        difference(original, written),
        difference(written, own(tokens)) == "agrees",
        complaints,
        tuple(sorted({POSITION.sub("", line) for line in dropped})),
    )


def tunes(every: int, path: str | None = None) -> Iterator[AbcTune]:
    """Every n-th tune of the files at a path, or of the built-in corpus."""
    corpus = AbcFiles(path) if path else Folk(COLLECTIONS)
    found = [piece for piece in corpus.pieces() if not isinstance(piece, Dropped)]
    yield from found[::every]


def report_dropped(verdicts: Sequence[Verdict], show: int) -> None:
    """Print of what abc2midi complains in the originals, and how many of these tunes agree."""
    dropping = [verdict for verdict in verdicts if verdict.dropped]
    agreeing = sum(verdict.outcome == "agrees" for verdict in dropping)
    print(f"abc2midi drops something of the original: {len(dropping)}, of which agree {agreeing}")
    kinds = Counter(re.sub(r"[0-9]+", "n", text) for v in dropping for text in v.dropped)
    for text, count in kinds.most_common(show):
        print(f"   {count:6}  {text}")


def main() -> None:
    """Print the shares of agreement and what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", help="ABC files instead of the built-in corpus")
    parser.add_argument("--every", type=int, default=1, help="take every n-th tune")
    parser.add_argument("--show", type=int, default=3, help="ids shown per difference")
    options = parser.parse_args()
    if shutil.which("abc2midi") is None:
        raise SystemExit("abc2midi is needed: apt-get install abcmidi")
    with ProcessPoolExecutor() as pool:
        judged = pool.map(judge, tunes(options.every, options.path), chunksize=32)
        verdicts = [verdict for verdict in judged if verdict is not None]
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    for outcome, count in outcomes.most_common():
        ids = [v.id for v in verdicts if v.outcome == outcome][: options.show]
        print(f"{outcome:16} {count:6}  {count / len(verdicts):7.2%}  {', '.join(ids)}")
    agreeing = sum(verdict.own_playback_agrees for verdict in verdicts)
    print(f"own playback agrees with abc2midi: {agreeing / len(verdicts):.2%}")
    print("  not: ", [v.id for v in verdicts if not v.own_playback_agrees][: options.show])
    complained = [v for v in verdicts if v.complaints]
    print(f"abc2midi complains of our ABC: {len(complained)}")
    for verdict in complained[: options.show]:
        print("  ", verdict.id, verdict.complaints[:2])
    report_dropped(verdicts, options.show)


if __name__ == "__main__":
    main()
