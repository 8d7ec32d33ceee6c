"""What a user sees who mistypes, asks for help or presses tab."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from hydra.errors import HydraException
from submitit.core.utils import FailedJobError

from symbotunes.cli.errors import one_line
from symbotunes.cli.suggestions import explain

ROOT = Path(__file__).parents[2]


def run(*arguments, timeout=300, **environment):
    return subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


# Every answer needs the whole config composed, for more than a second.
again = pytest.mark.slow("starts the program for one more wording of a mistake")
MISTAKES = [
    (["model=folk_rn"], "model=folk_rn does not exist; did you mean folk_rnn?"),
    (["modle=folk_rnn"], "there is no key modle; did you mean model?"),
    (["lr=1"], "there is no key lr; did you mean model.optimizer.lr?"),
    (["model.lr=1"], "there is no key model.lr; did you mean model.optimizer.lr?"),
    (["optimizer=adam"], "write model/optimizer=adam to choose an option of the group"),
    (["sample.a=x.mid"], "this sample has no a; it belongs to sample=interpolate"),
    (["bars=1"], "there is no key bars; did you mean sample.bars?"),
    (["xyzzy=1"], "there is no key xyzzy; `--cfg job` lists them"),
    (
        ["model/optimizer=_base"],
        "model/optimizer=_base does not exist; choose one of adam, adamw, adamw_matrices, "
        "muon, rmsprop",
    ),
    (
        ["launch=ray", "seed=1,2", "--multirun"],
        "hydra/launcher=ray needs another package: pip install 'symbotunes[ray]'",
    ),
    (
        ["trainer.max_steps=few"],
        "trainer.max_steps=few: expected a whole number, not text",
    ),
    (
        ["model.optimizer.lr=hot"],
        "model.optimizer.lr=hot: expected a number, not text",
    ),
    (
        ["++trainer.max_steps=few"],
        "trainer.max_steps=few: expected a whole number, not text",
    ),
    (
        ["model.optimizer=adam"],
        "model.optimizer=adam: to choose an option of a group, write model/optimizer=adam",
    ),
    (["optimizr=adam"], "write model/optimizer=adam to choose an option of the group"),
    (
        ["model/optimzer=adam"],
        "there is no group model/optimzer; did you mean model/optimizer?",
    ),
    (["data=folk"], "there is no key data; did you mean dataset?"),
    (
        ["model.optimizer.rho=1"],
        "this model/optimizer has no rho; it belongs to model/optimizer=rmsprop",
    ),
    (["foo.bar=1"], "there is no key foo.bar; `--cfg job` lists them"),
    (
        ["transforms.melody.bars=2"],
        "there is no key transforms.melody.bars: melody is not among the selected transforms",
    ),
    (
        ["transforms=[abc_token]"],
        "transforms=abc_token does not exist; did you mean abc_tokens?",
    ),
    (
        ["model=folk_rnn,"],
        "cannot read the argument model=folk_rnn,; write KEY=VALUE, or "
        "'model=\"folk_rnn,\"' for a text",
    ),
    (
        ["seed=null"],
        "seed=None must be a whole number of at least 0 and less than 4,294,967,296",
    ),
    (["compile=perhaps"], "compile=perhaps: expected true or false, not text"),
    (
        ["model.optmizer.lr=1"],
        "there is no key model.optmizer.lr; did you mean model.optimizer.lr?",
    ),
    (["sample.nun=3"], "there is no key sample.nun; did you mean sample.num?"),
    (
        ["+experiment=folk_rnn_papr"],
        "experiment=folk_rnn_papr does not exist; did you mean folk_rnn_paper?",
    ),
    (
        ["experiment=folk_rnn_paper"],
        "experiments need a plus sign: write +experiment=NAME",
    ),
    (
        ["seed=1,2"],
        "seed has several values: add --multirun for a sweep, or write 'seed=[A,B]' for a list",
    ),
    (["mode=trian"], "mode=trian does not exist; did you mean train?"),
]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [*MISTAKES[:4], *(pytest.param(*mistake, marks=again) for mistake in MISTAKES[4:])],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_answered_in_one_line(run_main, arguments, line, tmp_path):
    result = run_main(tmp_path, *arguments, check=False)
    assert result.stderr == f"error: {line}\n"
    assert result.returncode == 2


FOUND_BY_MODES = [
    (
        ["trainer.max_time=1h"],
        "trainer.max_time=1h: must be a time in the form DD:HH:MM:SS, such as 00:00:05:00 for "
        "five minutes, or null for no limit",
    ),
    (
        ["dataset=jsb_chorales"],
        "the dataset holds midi pieces, but transforms=[abc_tokens] begins with a step that "
        "reads abc; choose transforms for midi, such as transforms=[remi,sample_subsequence]",
    ),
    (
        ["mode=prepare", "dataset=abc_folder"],
        "dataset.path is required: set dataset.path=VALUE",
    ),
    (
        ["mode=prepare", "transforms=[]"],
        "transforms need exactly one tokenizer (such as abc_tokens), got []",
    ),
    (
        ["mode=prepare", "transforms=[transpose,abc_tokens]"],
        "transforms must go from score to tokenizer to tokens, got [transpose, abc_tokens]",
    ),
    (
        ["mode=prepare", "dataset.collections=[essen]"],
        "dataset.collections=['essen']: choose some of ryansMammoth, oneills1850, airdsAirs, "
        "essenFolksong, miscFolk, nottingham-dataset",
    ),
    (["mode=convert"], "mode=convert needs model.init_from=FILE, for example folkrnn_v2.pkl"),
    (["sample.num=0", "mode=sample"], "sample.num=0: must be a whole number of at least 1"),
    (["mode=sample", "ckpt=nowhere.ckpt"], "no checkpoint at nowhere.ckpt; set ckpt=PATH"),
]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [*FOUND_BY_MODES[:3], *(pytest.param(*found, marks=again) for found in FOUND_BY_MODES[3:])],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_that_a_mode_finds_is_answered_in_one_line(run_main, arguments, line, tmp_path):
    result = run_main(tmp_path, *arguments, check=False)
    assert result.stderr == f"error: {line}\n"
    assert result.returncode == 2


def test_evaluating_before_any_training_says_what_to_run_first(run_main, tmp_path):
    result = run_main(tmp_path, "mode=evaluate", check=False)
    assert "no trained model below" in result.stderr
    assert "run `python main.py` first" in result.stderr
    assert list(tmp_path.rglob("*.ckpt")) == []


@again
@pytest.mark.parametrize("key", ["model=folk_rnn", "dataset.folder=x"])
def test_a_sample_cannot_change_what_its_checkpoint_fixes(run_main, key, tmp_path):
    result = run_main(tmp_path, "mode=sample", key, check=False)
    assert result.stderr.startswith(f"error: {key}: ")
    assert result.returncode == 2


@again
def test_unreadable_syntax_shows_how_to_quote(run_main, tmp_path):
    for argument, line in (
        ("mode", "mode; write KEY=VALUE"),
        (
            "transforms=[a,b",
            "transforms=[a,b: [ has no counterpart; write KEY=VALUE, or 'transforms=\"[a,b\"' "
            "for a text",
        ),
        (
            'sample.prompt="M:6/8',
            'sample.prompt="M:6/8: " has no counterpart; write KEY=VALUE, or '
            """'sample.prompt='"'"'"M:6/8'"'"'' for a text""",
        ),
    ):
        result = run_main(tmp_path, argument, check=False)
        assert result.stderr == f"error: cannot read the argument {line}\n"


@again
def test_a_path_in_the_home_folder_is_found(run_main, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    arguments = ["mode=prepare", "dataset=abc_folder", "dataset.path=~/tunes"]
    result = run_main(tmp_path, *arguments, check=False)
    assert (
        result.stderr == f"error: {tmp_path}/tunes does not exist; set dataset.path to ABC files\n"
    )


@again
def test_a_part_of_other_options_is_none(run_main, tmp_path):
    result = run_main(tmp_path, "model=_base", check=False)
    assert result.stderr.startswith(
        "error: model=_base is only a part of other options; choose one of"
    )
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "argument",
    [
        "trainer.devices=auto",
        pytest.param("trainer.deterministic=warn", marks=again),
        pytest.param("trainer.val_check_interval=00:00:15:00", marks=again),
        pytest.param("+trainer.profiler=simple", marks=again),
        pytest.param("sample.prompt=A", marks=again),
        pytest.param("trainer.max_steps=null", marks=again),
        pytest.param("trainer.max_time=00:00:01:00", marks=again),
    ],
)
def test_text_where_text_may_stand_is_no_mistake(run_main, argument, tmp_path):
    result = run_main(tmp_path, argument, "mode=nothing", check=False)
    assert result.stderr.startswith("error: mode=nothing does not exist")


@again
def test_flags_may_stand_behind_what_they_run(run_main, tmp_path):
    result = run_main(tmp_path, "mode=nothing", "--multirun", "seed=1,2", check=False)
    assert "unrecognized arguments" not in result.stderr
    assert "mode=nothing does not exist" in result.stderr


def test_a_sweep_is_checked_before_its_jobs_begin(run_main, tmp_path):
    given = ["--multirun", "seed=1,2", "trainer.max_steps=few"]
    result = run_main(tmp_path, *given, check=False)
    line = "error: trainer.max_steps=few: expected a whole number, not text\n"
    assert result.stderr.endswith(line)
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.rglob("job.json"))


def test_the_version_is_ours():
    assert run("--version").stdout == f"Symbotunes {version('symbotunes')}\n"


def test_help_lists_modes_groups_options_and_examples():
    text = run("--help").stdout
    for expected in (
        "mode=sample",
        "  folk_rnn_small         A small Folk-RNN for a first run of a few minutes on a CPU",
        "trainer: auto, cpu, ddp, fsdp, gpu, quarter_hour",
        "  abc_folder             Your own tunes: one ABC file, or all *.abc files below a folder",
        "model/scheduler: constant",
        "python main.py --multirun",
    ):
        assert expected in text
    assert "_base" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_help_imports_nothing_heavy():
    script = (
        "import sys, runpy; sys.argv = ['main.py', '--help']\n"
        "heavy = {'torch', 'lightning', 'wandb', 'matplotlib', 'music21'}\n"
        "try: runpy.run_path('main.py', run_name='__main__')\n"
        "finally: print(heavy & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.endswith("set()\n")


def test_tab_completes_options_of_a_group():
    # What the installed completion script asks for when the line is "python main.py model=folk".
    line = "main.py model=folk"
    result = run("-sc", "query=bash", COMP_LINE=line, COMP_POINT=str(len(line)))
    assert {"model=folk_rnn", "model=folk_rnn_small"} <= set(result.stdout.split())


@pytest.mark.parametrize(
    ("words", "begin"),
    [
        (
            ["transforms.abc_tokens.min_count=1", "transforms=[abc_tokens],[abc_bpe]"],
            "job 1 (transforms=[abc_bpe]): there is no key transforms.abc_tokens.min_count: "
            "abc_tokens is not among the selected transforms",
        ),
        (["model.net.wdth=1", "seed=1,2"], "there is no key model.net.wdth; did you mean"),
        (["model.net.wdth=interval(1,2)"], "there is no key model.net.wdth; did you mean"),
    ],
)
def test_an_error_of_one_job_of_a_sweep_is_told_as_of_that_job(monkeypatch, words, begin):
    monkeypatch.setattr(sys, "argv", ["main.py", "--multirun", *words])
    key = words[0].partition("=")[0]
    assert explain(HydraException(f"Could not override '{key}'")).startswith(begin)


def test_a_search_without_a_finished_trial_is_told_in_words():
    error = ValueError("No trials are completed yet.")
    assert (
        one_line(error)
        == "no trial of the search has a value to compare; the reasons are printed above"
    )


def test_a_cluster_that_does_not_answer_is_told_in_words():
    error = FailedJobError("sbatch: error: first\nsbatch: error: Unable to contact controller")
    assert one_line(error) == (
        "the cluster rejected the job: sbatch: error: Unable to contact controller; "
        "launch=local runs jobs here"
    )
