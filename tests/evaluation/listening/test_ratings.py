"""Ratings are files of strangers: what is not from the page of the test is skipped."""

import json

import pytest

from symbotunes.errors import UserError
from symbotunes.evaluation.listening.questions import NAMES
from symbotunes.evaluation.listening.ratings import Key, listeners_of, read_all, read_key

KEY = Key("0123abcd", ("a", "b"), {"p": ("a", 0), "q": ("b", 0)})
GOOD = {"piece": "p", "seconds": 12.5, **dict.fromkeys(NAMES, 3)}
FILE = {
    "format": "symbotunes listening ratings", "version": 1, "test": "0123abcd",
    "listener": "00112233", "name": "<script>", "ratings": [GOOD],
}  # fmt: skip


def read(folder, *contents):
    for number, content in enumerate(contents):
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{number}.json").write_text(text)
    found, skipped = read_all([folder])
    people, more = listeners_of(found, KEY)
    reasons = {path.rpartition("/")[2]: why for path, why in (skipped | more).items()}
    return people, reasons


def test_a_good_file_is_a_listener(tmp_path):
    (listener,), skipped = read(tmp_path, FILE)
    assert skipped == {}
    assert listener.name == "00112233"
    (rating,) = listener.ratings
    assert (rating.piece, rating.seconds, rating.answers["structure"]) == ("p", 12.5, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ('"' + "a" * 1_000_001 + '"', "it is longer than 1,000,000 bytes"),
        ({"samples": []}, "it does not hold ratings of a listening test"),
        (FILE | {"version": 2}, "it does not hold ratings of a listening test"),
        (FILE | {"test": ["x"]}, "it does not say of which test"),
        (FILE | {"test": "ffffffff"}, "it is of another test"),
        (FILE | {"listener": "../../x"}, "its listener has no valid number"),
        (FILE | {"ratings": []}, "it holds no ratings"),
        (FILE | {"ratings": [3]}, "a rating names no piece"),
        (FILE | {"ratings": [GOOD | {"piece": "x"}]}, "it rates a piece that is not in the test"),
        (FILE | {"ratings": [GOOD, GOOD]}, "it rates a piece twice"),
        *(
            (FILE | {"ratings": [GOOD | {"structure": bad}]},
             "an answer on structure is not from 1 to 5")
            for bad in (0, 6, 3.5, True, None, "3", 10**400, float("nan"), {})
        ),
    ],
    ids=range(22),
)  # fmt: skip
def test_a_bad_file_is_skipped_with_a_reason(tmp_path, content, reason):
    people, skipped = read(tmp_path, content)
    assert people == []
    assert skipped == {"0.json": reason}


def test_of_one_listener_the_file_with_most_ratings_counts(tmp_path):
    whole = FILE | {"ratings": [GOOD, GOOD | {"piece": "q"}]}
    (listener,), skipped = read(tmp_path, FILE, whole, FILE)
    assert len(listener.ratings) == 2
    assert sorted(skipped) == ["0.json", "2.json"]
    assert all("the same listener as in" in why for why in skipped.values())


def test_a_path_that_does_not_exist_and_a_file_that_is_no_key_are_told(tmp_path):
    with pytest.raises(UserError, match="listen.ratings=.*: there is no such file"):
        read_all([tmp_path / "missing.json"])
    (tmp_path / "key.json").write_text(json.dumps(FILE))
    with pytest.raises(UserError, match="it is not the key of a listening test"):
        read_key(tmp_path / "key.json")
    assert read_all([tmp_path]) == ({}, {})  # a key among ratings is no failed file
