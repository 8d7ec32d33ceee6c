"""From Lakh's archive on a server to a trained MusicVAE and its music, in one command."""

import hashlib
import json
import random

import pytest

SMALL = [
    "model.net.latent=8",
    "model.net.encoder.widths=[16]",
    "model.net.decoder.widths=[16]",
    "loader.batch_size=16",
    "trainer=cpu",
    "trainer.max_steps=4",
    "trainer.val_check_interval=2",
    "sample.num=2",
    "~callbacks.panel",
]


def lakh_archive(tar_of, midi_bytes) -> bytes:
    """Sixty tunes of four to eleven bars of quarters, laid out as Lakh's; three broken files."""
    rng = random.Random(0)
    members = {"lmd_full/0/0bad.mid": b"\0\0 corrupt", "lmd_full/0/0empty.mid": b""}
    for _ in range(60):
        pitches = [rng.randint(55, 80) for _ in range(rng.randint(16, 44))]
        digest = hashlib.md5(bytes(pitches)).hexdigest()
        members[f"lmd_full/{digest[0]}/{digest}.mid"] = midi_bytes(*pitches)
    members["lmd_full/1/1cut.mid"] = midi_bytes(60, 62, 64)[:30]
    return tar_of(members)


@pytest.mark.slow("trains a MusicVAE with the program")
def test_the_clients_own_line_goes_from_download_to_music(
    server, tar_of, midi_bytes, run_main, tmp_path
):
    archive = lakh_archive(tar_of, midi_bytes)
    server.site("lmd_full.tar.gz", archive)
    outputs = tmp_path / "outputs"
    result = run_main(
        outputs,
        "model=music_vae",
        "dataset=lakh",
        f"dataset.variants.full.urls=[{server.url('lmd_full.tar.gz')}]",
        f"dataset.variants.full.size={len(archive)}",
        f"dataset.variants.full.sha256={hashlib.sha256(archive).hexdigest()}",
        *SMALL,
    )
    assert "dropped: empty file" in result.stdout
    assert "dropped: not a MIDI file" in result.stdout
    (run,) = (outputs / "train").iterdir()
    samples = json.loads((run / "samples" / "best" / "samples.json").read_text())["samples"]
    assert len(samples) == 2
    assert len(list((run / "samples" / "best").glob("*.mid"))) == 2
    assert (run / "checkpoints" / "best.ckpt").is_file()
