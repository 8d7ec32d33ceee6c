"""The names and the order of pieces tell nothing of who wrote them."""

import numpy as np
import symusic

from symbotunes.evaluation.listening.design import HELD_OUT, HeardPiece, designed


def test_names_are_random_and_every_round_has_a_piece_of_every_source():
    sources = ("gpt", "folk", HELD_OUT)
    pieces = [HeardPiece(s, r, symusic.Score(4)) for s in sources for r in range(40)]
    how = {"rounds_heard": 5, "seconds": 30, "prompt_bars": None, "facts": {}}
    test, again, other = (designed(pieces, seed, **how) for seed in (7, 7, 8))
    assert list(test.pieces) == list(again.pieces)
    assert not set(test.pieces) & set(other.pieces)
    assert all(len(name) == 8 and int(name, 16) >= 0 for name in test.pieces)
    assert test.key()["sources"] == ["folk", "gpt", HELD_OUT]
    for names in test.rounds:
        assert {test.pieces[name].source for name in names} == set(sources)
        assert len({test.pieces[name].round for name in names}) == 1
    places = {
        source: np.mean([[test.pieces[name].source for name in names].index(source)
                         for names in test.rounds])
        for source in sources
    }  # fmt: skip
    assert all(0.6 < place < 1.4 for place in places.values())  # 1 on average


def test_who_wrote_what_cannot_be_known_from_the_key_of_an_earlier_test():
    def made(pitch):
        score = symusic.Score(4)
        score.tracks.append(symusic.Track())
        score.tracks[0].notes.append(symusic.Note(0, 4, pitch, 80))
        pieces = [HeardPiece(source, r, score) for source in ("gpt", HELD_OUT) for r in range(9)]
        how = {"rounds_heard": 5, "seconds": 30, "prompt_bars": None, "facts": {}}
        return designed(pieces, 7, **how)

    first, same, other = made(60), made(60), made(62)
    assert first.name == same.name != other.name
    assert not set(first.pieces) & set(other.pieces)
