"""What is typed, as Hydra takes it: any name of a file, sweeps, and errors in one line."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from whole_program import ROOT

from sketch2paint.commands import benchmark, evaluate, export, predict, prepare, train
from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.overrides import CommandLine, WrongCommand, names_of
from sketch2paint.verb import CONF, _defaults

FUNCTIONS: dict[str, Callable[..., int]] = {
    "train": train.train,
    "prepare": prepare.prepare,
    "predict": predict.predict,
    "evaluate": evaluate.evaluate,
    "export": export.export,
    "benchmark": benchmark.benchmark,
}
PARTS = [
    *"abcXYZ019 _-.,:;=()[]{}!?*~|<>\"'\\$%&#@^`+\t\n/",
    *("ü", "ß", "漢", "字", "я", "ñ", "e\u0301", "🎨", "👩\u200d🎨"),
    *("\u202e", "\u2028", "\xa0", "\udce4", "${", "${seed}", "\\${"),
    *("true", "null", "1e5", "2024_01", "???", "'a'", "[01]", "  ", ".png"),
]  # fmt: skip


def line(verb: str, *words: str, several: str = "") -> list[str]:
    function = FUNCTIONS[verb]
    given = CommandLine(
        list(words), verb, names_of(function), several, lambda: _defaults(function.__name__)
    )
    return given.for_hydra()


def value(word: str) -> Any:
    """What a command gets of a word: by Hydra's grammar, then OmegaConf's."""
    (parsed,) = OverridesParser.create().parse_overrides([word])
    return OmegaConf.to_container(OmegaConf.create({"value": parsed.value()}), resolve=True)[  # type: ignore[index, call-overload]
        "value"
    ]


def file_names(count: int, seed: int = 15) -> list[str]:
    """Names that a disk takes, of parts that mean something to shells, Hydra or OmegaConf."""
    rng = random.Random(seed)
    return ["".join(rng.choices(PARTS, k=rng.randint(1, 9))) for _ in range(count)]


def keeps_its_meaning(name: str, lists: bool) -> bool:
    """Whether it is written as a quoted string or a list, which documentation says to avoid."""
    quoted = name[0] in "'\"" and name[-1] == name[0]
    return quoted or lists and name[0] == "[" and name[-1] == "]"


@pytest.mark.slow
def test_any_file_name_is_itself() -> None:
    places = [("predict", "input"), ("predict", "gallery"), ("train", "data.root")]
    places += [("train", "resume"), ("evaluate", "json"), ("export", "drawings")]
    counted = 0
    for number, name in enumerate(file_names(6000)):
        verb, key = places[number % len(places)]
        if keeps_its_meaning(name, key == "input") or name.lower() in ("null", "true"):
            continue
        (word,) = line(verb, f"{key}={name}")
        assert value(word) == (name if name != "???" else "./???"), name
        assert line(verb, word) == [word], name  # as Lightning starts its other processes with it
        counted += 1
    assert counted > 5500


@pytest.mark.parametrize("name", [name for name in file_names(40, seed=3) if name != "???"])
def test_any_file_name_passes_through_the_configuration(name: str) -> None:
    if keeps_its_meaning(name, False):
        name = f"./{name}"
    words = line("train", f"data.root={name}", f"out_dir={name}", f"name=x{name}", "data=pairs")
    with initialize_config_dir(CONF, version_base="1.3"):
        cfg = OmegaConf.to_container(compose("train", words), resolve=True)
    assert isinstance(cfg, dict)
    found = cfg["data"]["root"], cfg["out_dir"], cfg["callbacks"]["samples"]["out_dir"]
    assert found == (name, name, name)
    assert cfg["name"] == f"x{name}"


@pytest.mark.slow
def test_lists_and_sweeps_of_any_names() -> None:
    names = [name.strip() for name in file_names(3000, seed=4)]
    plain = [n for n in names if n and "," not in n and n[0] not in "'\"[" and n != "???"]
    assert len(plain) > 1500
    for one, other in zip(plain[::2], plain[1::2], strict=False):
        (word,) = line("predict", f"input=[{one}, {other}]")
        assert value(word) == [one, other]
        (word,) = line("evaluate", f"checkpoint={one},{other}", several="checkpoint")
        assert value(word) == [one, other]
        _, word = line("predict", "-m", f"truth={one},{other}")
        (parsed,) = OverridesParser.create().parse_overrides([word])
        assert [value(f"truth={item}") for item in parsed.sweep_string_iterator()] == [
            None if name.lower() == "null" else name for name in (one, other)
        ]


@pytest.mark.parametrize(
    ("verb", "word", "expected"),
    [
        ("train", "name=2024_01", "2024_01"),
        ("train", "name=1e5", "1e5"),
        ("train", "name=true", "true"),
        ("train", "resume=true", True),
        ("train", "resume=False", False),
        ("train", "resume=./true", "./true"),
        ("train", "resume='true'", "true"),
        ("train", "init_from=null", None),
        ("train", "init_from='null'", "null"),
        ("train", "data.root=null", None),
        ("train", "+data.root=a (1)", "a (1)"),
        ("predict", "checkpoint=null", "null"),
        ("predict", "gallery=true", True),
        ("predict", "gallery=null", None),
        ("predict", "gallery=g (1).png", "g (1).png"),
        ("predict", "input=-", "-"),
        ("predict", "input=a,b", "a,b"),
        ("predict", "input= a ", " a "),
        ("predict", "input=[]", []),
        ("predict", "input=[3,1e5, 'a,b' ,c d]", ["3", "1e5", "a,b", "c d"]),
        ("predict", "input=[a].png", "[a].png"),
        ("predict", "input='Chapter [01]/*.png'", "Chapter [01]/*.png"),
        ("predict", 'input="it\'s"', "it's"),
        ("predict", "input='it's'", "'it's'"),  # no quoted string
        ("predict", "output=[a]", "[a]"),  # no key for lists
        ("evaluate", "checkpoint=runs/2024_01,runs/b", ["runs/2024_01", "runs/b"]),
        ("evaluate", "checkpoint='a,b'", "a,b"),
        ("evaluate", "checkpoint=[a,b]", ["a", "b"]),
        ("evaluate", "hints=0,4", [0, 4]),
        ("evaluate", "hints=4", 4),
        ("benchmark", "batch_size=1,4", [1, 4]),
        ("benchmark", "batch_size=[1,4]", [1, 4]),
        ("train", "model.lr=1e-4", 1e-4),
        ("train", "data.line_styles=[xdog,canny]", ["xdog", "canny"]),
    ],
)
def test_what_keeps_a_meaning(verb: str, word: str, expected: Any) -> None:
    several = {"evaluate": "checkpoint hints", "benchmark": "batch_size"}.get(verb, "")
    (taken,) = line(verb, word, several=several)
    assert value(taken) == expected and type(value(taken)) is type(expected)


def test_sweeps() -> None:
    words = ["-m", "model.lambda_l1=10,50", "model.lr=1e-4,2e-4", "name=first"]
    assert line("train", *words) == [*words[:3], "name='first'"]
    assert line("train", "-m", "data.root=a (1),[b]")[1] == "data.root='a (1)','[b]'"
    assert line("train", "-m", "data.root='a,b',c")[1] == "data.root='a,b','c'"
    assert line("train", "-m", "resume=true,last.ckpt")[1] == "resume=true,'last.ckpt'"
    assert line("train", "-m", "data.root=choice(a,b)")[1] == "data.root=choice(a,b)"
    assert line("train", "sweep=lambda_lr", "init_from=a,b")[1] == "init_from='a','b'"
    assert line("predict", "-m", "input=[a,b],c") == ["-m", "input=['a','b'],'c'"]
    assert line("train", "name=a,b") == ["name='a,b'"]


def test_a_sweep_over_names_has_one_folder() -> None:
    *_, names, folder = line("train", "-m", "name=a,b")
    assert names == "name='a','b'"
    assert value(folder.replace("${now:", "")).startswith("multirun/")
    assert len(line("train", "-m", "name=a,b", "hydra.sweep.dir=x")) == 3
    assert len(line("train", "-m", "name='a,b'")) == 2


def test_flags_and_their_values_stay() -> None:
    words = ["--config-dir", "my conf", "--cfg", "job", "data.root=a b"]
    assert line("train", *words) == [*words[:4], "data.root='a b'"]
    assert line("train", "data.root=a b", "--cfg", "job")[1:] == ["--cfg", "job"]
    assert line("train", "-sc", "query=bash") == ["-sc", "query=bash"]


ERRORS = [
    ("trainer.devices=1",
     "Unknown key `trainer.devices`. The nearest is trainer.gpus: type trainer.gpus=1"),
    ("LAMBDA=50",
     "Unknown key `LAMBDA`. The nearest is model.lambda_l1: type model.lambda_l1=50"),
    ("model.LAMBDA=50",
     "Unknown key `model.LAMBDA`. The nearest is model.lambda_l1: type model.lambda_l1=50"),
    ("+model.LAMBDA=50",
     "Unknown key `model.LAMBDA`. The nearest is model.lambda_l1: type model.lambda_l1=50"),
    ("epochs=5",
     "Unknown key `epochs`. The nearest is trainer.max_epochs: type trainer.max_epochs=5"),
    ("trainer.epochs=5",
     "Unknown key `trainer.epochs`. The nearest is trainer.max_epochs: type "
     "trainer.max_epochs=5"),
    ("gpus=[0]", "Unknown key `gpus`. The nearest is trainer.gpus: type trainer.gpus=1"),
    ("trainer.gpus=[0]",
     "Expected `trainer.gpus` to be int or str, got [0]. Type for instance trainer.gpus=1"),
    ("batch_size=8",
     "Unknown key `batch_size`. The nearest is data.batch_size: type data.batch_size=8"),
    ("experment=demo",
     "Unknown key `experment`. The nearest is experiment: type experiment=demo"),
    ("data.foo=ü",
     "Unknown key `data.foo`. Expected one of data.also, data.batch_size, data.cache, "),
    ("model.lr=0,0002",
     "Expected one value for `model.lr`, got 0,0002. Type model.lr=0.0002 for a number, or "
     "sketch2paint train -m model.lr=0,0002 to try each"),
    ("model.lr=1e-4,2e-4 name=x",
     "Expected one value for `model.lr`, got 1e-4,2e-4. Type sketch2paint train -m "
     "model.lr=1e-4,2e-4 name=x to try each"),
    ("data.line_styles=xdog,canny",
     "Expected one value for `data.line_styles`, got xdog,canny. Type "
     "'data.line_styles=[xdog,canny]' for a list, or sketch2paint train -m "
     "data.line_styles=xdog,canny to try each"),
    ("model.lr=1,2 -m name=x",
     "Expected -m before all keys, got it between them. Type sketch2paint train -m "
     "model.lr=1,2 name=x"),
    ("--epochs 5", "Expected keys as key=value, got --epochs. Type trainer.max_epochs=5"),
    ("--lr=3 name=x", "Expected keys as key=value, got --lr=3. Type model.lr=3"),
    ("--foo",
     "Expected keys as key=value, and flags out of --help, -m, --cfg job, got --foo. Type "
     "sketch2paint train --help for the keys"),
    ("--cfg foo",
     "Expected flags as --help tells them, got argument --cfg/-c: invalid choice: 'foo' "),
    ("resume = true", "Expected no blanks around =. Type resume=true"),
    ("resume= true", "Expected no blanks around =. Type resume=true"),
    ("resume =true", "Expected no blanks around =. Type resume=true"),
    ("name=my run", "Expected key=value, got run. For a name with blanks type 'name=my run'"),
    ("data", "Expected key=value, got data. Type data=..."),
    ("model.lr=3;4",
     "Expected a value of `model.lr` that can be read, got '3;4'. Type for instance "
     "model.lr=0.0002"),
    ("trainer.precision=a;b",
     "Expected a value of `trainer.precision` that can be read, got 'a;b'. Type it in "
     "quotes: \"trainer.precision='a;b'\""),
    ("model.betas=[0.5,",
     "Expected a value of `model.betas` that can be read, got '[0.5,'. Type for instance "
     "'model.betas=[0.5,0.999]'"),
    ("model.betas={a:1}",
     "Expected another kind of value for `model.betas`, got {a:1}. Type for instance "
     "'model.betas=[0.5,0.999]'"),
    ("model.lr=abc",
     "Expected `model.lr` to be float, got 'abc'. Type for instance model.lr=0.0002"),
    ("model.generator=5",
     "Expected `model.generator` to be names with values as {name: 1} or null, got 5. Type "
     "for instance model.generator.base_channels=64"),
    ("+model.generator.foo=3",
     "Unknown key `model.generator.foo`. Expected one of model.generator.base_channels, "),
    ("+colours=3", "Unknown key `colours`. The nearest is data.colours: type data.colours=3"),
    ("++data.foo=3", "Unknown key `data.foo`. Expected one of data.also, data.batch_size, "),
    ("+data.size=3", "Expected `data.size` without +. Type data.size=3"),
    ("+experiment=demo", "Expected `experiment` without +. Type experiment=demo"),
    ("data=pears",
     "Expected `data` to be one of demo, mix, paintings, pairs, photos, two_folders, got "
     "'pears'. Type data=pairs"),
    ("model=null", "Expected names of groups, got model=null. Type a name"),
    ("~trainer.max_epochs",
     "Expected `trainer.max_epochs` to stay. Leave ~trainer.max_epochs away, or type "
     "trainer.max_epochs=..."),
    ("~model", "Expected `model` to stay. Leave ~model away, or type model=..."),
    ("~data.foo", "Unknown key `data.foo`. Expected one of data.also, data.batch_size, "),
    ("seed=abc", "Expected `seed` to be int, got 'abc'. Type for instance seed=0"),
    ("seed=-1", "Expected `seed` to be from 0 to 4294967295, got -1."),
    ("on_nan=go",
     "Expected `on_nan` to be one of stop, restore, got 'go'. Type for instance on_nan=stop"),
    ("model._target_=no.Where",
     "Expected `_target_` to be a class or function that is installed, got no.Where."),
    ("callbacks.samples=3",
     "Expected `callbacks.samples` to be null or a mapping with a _target_, got 3. "),
    ("model.lr=${foo}", "Interpolation key 'foo' not found"),
    ("name=", "Expected a value for `name`, got nothing. Type name=..."),
    ("init_from= seed=1", "Expected a value for `init_from`, got nothing. Type init_from=..."),
    *[
        (f"name={name}", "Expected `name` to name a folder of its own, not empty, absolute or "
         f"leading out with .., got '{name}'. Type for instance name=first")
        for name in (".", "..", "/abs", "a/..", "a/../../b")
    ],
    ("-m name='..',a",
     "Expected `name` to name a folder of its own, not empty, absolute or leading out with "
     ".., "),
    ("-m name=a${b}", "Expected `name` without ${ in a sweep, got 'a${b}'"),
    ("-m out_dir=a,b",
     "Expected one `out_dir` for a sweep, whose runs stand in it as 0, 1, ... Type -m "
     "out_dir=DIR"),
    ("-m trainer.devices=1,2",
     "Unknown key `trainer.devices`. The nearest is trainer.gpus: type trainer.gpus=1,2"),
    ("-m --cfg job",
     "Only one of --run, --multirun, --cfg, --info and --shell_completion can be specified"),
    ("--config-dir nowhere", "Additional config directory "),
    ("hydra.foo=3", "Unknown key `hydra.foo`. Type --cfg hydra to see those of Hydra"),
    ("ключ=3",
     "Unknown key `ключ`. Expected one of callbacks, checkpoint_every, data, experiment, "),
]  # fmt: skip


@pytest.fixture
def told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., str]:
    """A function that calls a verb in an empty folder and returns the one line that it says."""

    def call(verb: str, words: list[str], code: int = 2) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["sketch2paint", verb, *words])
        with pytest.raises(SystemExit) as stop:
            getattr(sys.modules[f"sketch2paint.commands.{verb}"], "main")(verb)  # noqa: B009
        captured = capfd.readouterr()
        assert stop.value.code == code, captured
        assert captured.out == "" and captured.err.count("\n") == 1, captured
        assert not list(tmp_path.iterdir()), "nothing may be left behind"
        return captured.err.removesuffix("\n")

    return call


@pytest.mark.parametrize(("words", "message"), ERRORS)
def test_what_is_no_command_is_one_line(told: Callable[..., str], words: str, message: str) -> None:
    said = told("train", words.split(" "))
    exact = not message.endswith((" ", "base_channels, "))
    assert said == f"error: {message}" if exact else said.startswith(f"error: {message}")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["input=a.png", "b.png"], "Expected key=value, got b.png. For a name with blanks type "
         "'input=a.png b.png'; for several files 'input=[a.png,b.png]'"),
        (["--checkpoint", "R"], "Expected keys as key=value, got --checkpoint. Type checkpoint=R"),
        (["checkpoint", "=", "R"], "Expected no blanks around =. Type checkpoint=R"),
        (["quality=90,95"], "Expected one value for `quality`, got 90,95. Type for instance "
         "quality=92"),
        (["ouput=x"], "Unknown key `ouput`. The nearest is output: type output=x"),
        (["weights=my run"], "Unknown key `weights`. The nearest is checkpoint: type "
         "'checkpoint=my run'"),
        (["input=[a,]"], "Expected a value for `input`, got nothing. Type input=..."),
        (["--overwrite"], "Expected keys as key=value, got --overwrite. Type overwrite=..."),
        (["r.png"], "Expected key=value, got r.png. Type KEY=r.png"),
    ],
)  # fmt: skip
def test_predict_tells_too(told: Callable[..., str], words: list[str], message: str) -> None:
    assert told("predict", words) == f"error: {message}"


def test_the_names_of_the_data_are_marked() -> None:
    hints = get_type_hints(SketchDataModule.__init__)
    text = {key for key, hint in hints.items() if hint in (str, str | None)} - {"task"}
    for function in (train.train, prepare.prepare, evaluate.evaluate, benchmark.benchmark):
        marked = {key.removeprefix("data.") for key in names_of(function) if "data." in key}
        assert marked == text


def test_every_text_of_a_command_is_a_name_or_a_word() -> None:
    words = {"device", "split", "overlap", "format", "coloured", "precision", "lines", "normalise"}
    words |= {"shard", "dtype", "checkpoint_every", "batch_size", "scale", "tile", "colours", "gap"}
    words |= {"clock", "placement"}
    for function in FUNCTIONS.values():
        for key, hint in get_type_hints(function).items():
            if "str" in str(hint).replace("dict[str", "") and key != "return":
                assert key in names_of(function) or key in words, key


def test_wrong_commands_are_of_one_kind() -> None:
    with pytest.raises(WrongCommand, match="^Expected no blanks around =. Type input=a$"):
        line("predict", "input", "=", "a")
    assert (ROOT / "conf").samefile(CONF)
