"""Anticipatory Music Transformers in their published layout, opened like checkpoints of ours."""

import json
from pathlib import Path

import pytest
import symusic
import torch

from symbotunes.checkpoints import published
from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.formats.hugging_face import write_model
from symbotunes.checkpoints.reopen import rebuild
from symbotunes.checkpoints.weights import read_weights
from symbotunes.errors import UserError
from symbotunes.models.gpt2 import GPT2
from symbotunes.models.published import to_transformers
from symbotunes.tokenizers.arrival import ArrivalTimes
from symbotunes.tokenizers.base import NO_ID, Vocabulary

SIZES = {"width": 8, "depth": 2, "heads": 2, "context": 64}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    vocabulary = Vocabulary(55_028, bos=55_026, eos=NO_ID)
    return GPT2(vocabulary, **SIZES, layer_scaled_attention=True).eval()


@pytest.fixture(scope="module")
def original(net, tmp_path_factory):
    """The folder as it is published: bare names in a pickle, and left-over ids in the config."""
    folder = tmp_path_factory.mktemp("hub") / "music-tiny-800k"
    config, tensors = to_transformers(net, Vocabulary(55_028, bos=50_256, eos=50_256))
    write_model(folder, config | {"architectures": None}, {})
    (folder / "model.safetensors").unlink()
    bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    torch.save(bare, folder / "pytorch_model.bin")
    return folder


def with_config(original, folder, **changes):
    config = json.loads((original / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "pytorch_model.bin").symlink_to(original / "pytorch_model.bin")
    return folder


def test_a_folder_of_the_authors_is_a_checkpoint(original, net):
    checkpoint = unpack(original)
    opened, tokenizer = rebuild(checkpoint)
    assert isinstance(tokenizer, ArrivalTimes)
    assert checkpoint.config.name == "music-tiny-800k"
    assert (checkpoint.steps, checkpoint.data) == (0, "published")
    assert not checkpoint.resumable
    ids = torch.randint(0, 55_028, (1, 20), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(opened.eval()(ids), net(ids), rtol=0, atol=1e-6)


def test_it_is_fetched_from_the_hub_at_a_revision(original, monkeypatch):
    asked = []

    def fetch(repository, *, revision, allow_patterns):
        asked.append((repository, revision, allow_patterns))
        return str(original)

    monkeypatch.setattr(published, "snapshot_download", fetch)
    checkpoint = unpack(Path("hub:stanford-crfm/music-tiny-800k@v1"))
    assert checkpoint.config.name == "music-tiny-800k"
    assert checkpoint.config.model.net.context == 64
    name = "stanford-crfm/music-tiny-800k"
    assert asked == [
        (name, "v1", ["config.json", "model.safetensors"]),
        (name, "v1", ["config.json", "pytorch_model.bin"]),
    ]


def test_a_new_run_starts_from_it_only_with_its_sizes_and_tokens(original, net):
    weights = read_weights(original)
    weights.check(net, 55_028)
    with pytest.raises(UserError, match=r"set model=amt_small model.net.width=8 .*=true"):
        weights.check(GPT2(Vocabulary(137, 0, 1), **SIZES), 55_028)
    with pytest.raises(UserError, match=r"55028 ids, .* 137: .* transforms=\[arrival_times\]"):
        weights.check(net, 137)


def test_interarrival_times_are_refused(original, tmp_path):
    folder = with_config(original, tmp_path, vocab_size=34_025)
    for read in (unpack, read_weights):
        with pytest.raises(UserError, match="the interarrival vocabulary of 34,025 ids"):
            read(folder)


def test_a_folder_without_the_flag_is_another_model(original, tmp_path):
    folder = with_config(original, tmp_path, scale_attn_by_inverse_layer_idx=False)
    with pytest.raises(UserError, match=r"holds no config.json of Symbotunes"):
        unpack(folder)


@pytest.mark.slow("runs the program twice")
def test_the_program_accompanies_and_fills_in_with_it(original, run_main, tmp_path):
    song = Path(__file__).parents[1] / "files" / "arrival" / "programs_and_overlaps.mid"
    shared = ["mode=sample", f"ckpt={original}", f"sample.input={song}", "sample.num=1", "seed=1"]
    for plan, words in {
        "accompany": ["sample.track=1", "sample.seconds=90"],
        "infill": ["sample.span=0.2-0.8", "sample.instruments=[0,drums]"],
    }.items():
        folder = tmp_path / plan
        run_main(tmp_path, *shared, f"sample={plan}", *words, f"sample.out={folder}")
        (sample,) = json.loads((folder / "samples.json").read_text())["samples"]
        assert sample["generated"] % 3 == 0
    (path,) = folder.glob("*.mid")  # filled in from 0.2 to 0.8 s
    outside = {note for note in onsets(song) if not 20 <= note[0] <= 80}
    assert outside <= onsets(path)


def onsets(path):
    """Of all notes of a MIDI file: onset in hundredths of a second, and pitch."""
    score = symusic.Score(str(path)).to("second")
    return {(round(100 * n.start), n.pitch) for track in score.tracks for n in track.notes}
