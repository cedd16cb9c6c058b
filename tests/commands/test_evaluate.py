"""The verb evaluate.py as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_evaluation import other_weights
from tiny_words import TINY, make_region_network
from whole_program import call

from sketch2paint.models.description import describe_regions
from sketch2paint.models.weights import save_generator


def test_two_checkpoints_are_evaluated(pairs_dir: Path, weight_path: Path, tmp_path: Path) -> None:
    other_weights(tmp_path / "b.safetensors")
    files = ["csv=o/a.csv", "json=o/a.json", "gallery=o/a.html", "card=o/a.md", "tensorboard=o/tb"]
    found = call(
        "evaluate", f"checkpoint={weight_path},b.safetensors", f"data.root={pairs_dir}",
        "learned=false", "device=cpu", *files, cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    assert "Warning" not in found.stdout, found.stdout
    assert "val: 4 pictures at 16x16" in found.stdout
    assert "generator.safetensors - b.safetensors" in found.stdout
    assert "LPIPS: n/a, not wanted." in found.stdout
    left = {path.name for path in (tmp_path / "o").iterdir()}
    assert left == {"a.csv", "a.json", "a.html", "a.md", "tb"}
    plain = json.loads((tmp_path / "o/a.json").read_text())
    assert list(plain["rows"])[:2] == ["generator.safetensors", "b.safetensors"]
    assert {p.name for p in tmp_path.iterdir()} == {
        *("pairs", "o", "b.safetensors", "generator.safetensors")
    }


@pytest.mark.slow
def test_a_folder_of_held_out_pictures_alone_is_measured(
    pairs_dir: Path, weight_path: Path, tmp_path: Path
) -> None:
    (pairs_dir / "train").rename(tmp_path / "elsewhere")
    found = call(
        "evaluate", f"checkpoint={weight_path}", f"data.root={pairs_dir}", "split=val",
        "learned=false", "device=cpu", "json=a.json", "gallery=a.html", "card=a.md", cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    assert "Warning" not in found.stdout, found.stdout
    assert "val: 4 pictures at 16x16" in found.stdout
    assert "mean colour: n/a, there are no training pictures to take it from." in found.stdout
    plain = json.loads((tmp_path / "a.json").read_text())
    assert plain["rows"]["mean colour"]["psnr"]["mean"] is None
    assert plain["rows"]["all white"]["psnr"]["mean"] > 0
    assert plain["protocol"]["mean_colour"] is None


@pytest.mark.slow
def test_regions_and_flats_are_measured(
    pairs_dir: Path, weight_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # a G'MIC would take its time
    words = tmp_path / "words.safetensors"
    save_generator(words, make_region_network().state_dict(), describe_regions(TINY))
    found = call(
        "evaluate", f"checkpoint={weight_path},{words}", f"data.root={pairs_dir}", "regions=true",
        "size=32", "learned=false", "device=cpu", "json=a.json", "gallery=a.html", cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    assert "Region accuracy at 512x512" in found.stdout and "Fills left" in found.stdout
    assert "G'MIC (not installed)" in found.stdout
    plain = json.loads((tmp_path / "a.json").read_text())
    for name in ("generator.safetensors", "words.safetensors"):
        assert (
            plain["rows"][name]["fills_blank"]["mean"] > 0 and plain["rows"][name]["psnr"]["mean"]
        )
    assert 0 < plain["regions"]["rows"]["sketch2paint"]["gap 0"] <= 1
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "G&#39;MIC (not installed)" in page and "Fills left" in page


def test_told_colours_are_measured(pairs_dir: Path, weight_path: Path, tmp_path: Path) -> None:
    found = call(
        "evaluate", f"checkpoint={weight_path}", f"data.root={pairs_dir}", "hints=2,0,1",
        "placement=user", "learned=false", "device=cpu", "json=a.json", "plot=a.png", cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    assert "Warning" not in found.stdout, found.stdout
    assert "Told n colours (placement user), the drawing's lines laid on:" in found.stdout
    plain = json.loads((tmp_path / "a.json").read_text())["hints"]
    assert list(plain["rows"]) == [
        "white paper + fill", "nearest hint, straight", "nearest hint, geodesic",
        "generator.safetensors, flats", "generator.safetensors",
    ]  # fmt: skip
    for row in ("white paper + fill", "generator.safetensors, flats"):
        assert [one["n"] for one in plain["rows"][row]] == [0, 1, 2]
        assert [one["obedience"] for one in plain["rows"][row]] == [None, 0, 0]
        psnr = [one["psnr"] for one in plain["rows"][row]]
        assert psnr == sorted(psnr) and psnr[0] < psnr[2]
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["split=dev"], "Expected `split` to be one of train, val (found in"),
        (["size=20"], "expected `size` to be a multiple of 16"),
        (["split=train"], "Expected pictures in train that are not in train, got 8"),
        (["overlap=yes"], "Expected `overlap` to be one of refuse, allow, got 'yes'."),
        (["data.task=photo"], "expected weights for the task photo, got task sketch."),
        (["gallery=a.png"], "Expected `gallery` to be an .html file, got a.png."),
        (["checkpoint=[]"], "Expected `checkpoint` to be different run folders or files, got none"),
        (["device=abacus"], "Expected `device` to be usable, got 'abacus'"),
        (
            ["regions=true", "data.task=photo"],
            "Expected drawings to measure regions on, got data.t",
        ),
        (
            ["hints=2", "data.task=photo"],
            "Expected drawings to set hints on, got data.task=photo. Pass hints=null.",
        ),
        (["hints=0,-1"], "Expected `hints` to be whole numbers from 0 to 10,000, got [0, -1]."),
        (["hints=[]"], "Expected `hints` to be whole numbers from 0 to 10,000, got []. Pass hi"),
        (["hints=many"], "Expected `hints` to be int or a list of int or null, got 'many'."),
        (["hints=1,2.5"], "Expected `hints` to be int or a list of int or null, got [1, 2.5]."),
        (
            ["placement=best"],
            "Expected `placement` to be one of blank, regions, uniform, user, got 'best'.",
        ),
        (["hints=2", "plot=a.pdf"], "Expected `plot` to be a .png file, got a.pdf."),
        (["plot=a.png"], "Expected `hints` with plot=a.png, got none. Pass hints=0,1,2,4,8,16."),
        (["regions=yes"], "Expected `regions` to be true or false, got 'yes'."),
        (["learned=maybe"], "Expected `learned` to be true or false, got 'maybe'."),
    ],
)
def test_bad_input_is_told(
    refused_here: Callable[[str, list[str]], str],  # noqa: F811
    pairs_dir: Path,
    weight_path: Path,
    keys: list[str],
    words: str,
) -> None:
    given = [f"checkpoint={weight_path}", f"data.root={pairs_dir}", "learned=false"]
    assert words in refused_here("evaluate", [*given, *keys])
