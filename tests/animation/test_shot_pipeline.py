"""Shots coloured from files to files: kept, resumed, corrected, stopped."""

import json
import os
import signal

import numpy as np
import pytest
from PIL import Image
from tiny_painter import make_generator
from tiny_shot import BOX, write_shot

from sketch2paint.animation import shot_pipeline
from sketch2paint.animation.plan import plan_shot
from sketch2paint.animation.record import Place
from sketch2paint.animation.shot_pipeline import colour_shot, summary
from sketch2paint.animation.shots import opened_shot
from sketch2paint.hints.format import Hints, write_hints
from sketch2paint.hints.strokes import Stroke
from sketch2paint.images.io import read_rgb
from sketch2paint.inference.painter import Painter


@pytest.fixture
def root(tmp_path):
    write_shot(tmp_path, count=8)
    (tmp_path / "keys").mkdir()
    for number in (0, 7):
        key(tmp_path, number)
    return tmp_path


def key(root, number):
    data = (root / f"colour/{number:04d}.png").read_bytes()
    (root / f"keys/{number:04d}.png").write_bytes(data)


def colour(root, output="out", source="lines", options=None, **keys):
    place = Place(root / output, root / source)
    with opened_shot(root / source) as shot:
        found = plan_shot(shot, **(keys or {"keys": root / "keys"}))
        return colour_shot(found, place=place, **(options or {})), place


def test_a_shot_is_coloured_and_kept_the_next_time(root):
    result, place = colour(root)
    assert (result.done, result.held, result.kept, result.failed) == (8, 4, 0, ())
    for number in range(8):
        drawing = read_rgb(root / f"lines/{number:04d}.png")
        right = read_rgb(root / f"out/{number:04d}.png") == read_rgb(
            root / f"colour/{number:04d}.png"
        )
        assert right[drawing == 255].mean() > 0.99
    entries = json.loads((root / "out/animate.json").read_text())["frames"]
    assert sorted(entry["frame"] for entry in entries) == [f"{n:04d}" for n in range(8)]
    assert {entry["frame"]: entry["key"] for entry in entries}["0007"] == "key"
    written = {path: path.stat().st_mtime_ns for path in (root / "out").glob("*.png")}
    result, place = colour(root)
    assert (result.done, result.kept) == (0, 8)
    assert written == {path: path.stat().st_mtime_ns for path in (root / "out").glob("*.png")}
    assert summary(result, place) == (
        "0 coloured (0 held), 0 failed, 8 there already (overwrite=true colours them again): "
        f"{root / 'out'}"
    )
    assert colour(root, options={"overwrite": True})[0].done == 8


def test_a_corrected_frame_changes_what_depends_on_it_alone(root):
    colour(root)
    before = {path.name: path.stat().st_mtime_ns for path in (root / "out").glob("*.png")}
    key(root, 5)
    result, _ = colour(root)
    after = {path.name: path.stat().st_mtime_ns for path in (root / "out").glob("*.png")}
    changed = sorted(name for name in before if before[name] != after[name])
    assert changed == [f"{n:04d}.png" for n in range(1, 7)] and result.done == 6


def test_a_missing_file_is_made_again_and_layers_are_added(root):
    colour(root)
    (root / "out/0003.png").unlink()
    assert colour(root)[0].done == 1
    assert colour(root, options={"layers": True})[0].done == 8
    colours = read_rgb(root / "out/0003.colours.png")
    assert (colours[24:46, 16:40] == BOX).all()
    assert (root / "out/0003.ora").is_file()


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".mp4"])
def test_a_film_keeps_its_times_and_is_made_again_only_with_a_change(root, suffix):
    frames = [Image.fromarray(read_rgb(root / f"lines/{n:04d}.png")) for n in (0, 2, 4, 6)]
    moved = {"save_all": True, "append_images": frames[1:], "duration": [100, 200, 100, 200]}
    frames[0].save(root / "shot.webp", lossless=True, **moved)
    (root / "keys/0007.png").unlink()
    result, _ = colour(root, f"out{suffix}", "shot.webp")
    assert result.done == 4 and (root / f"out{suffix}.frames/00003.png").is_file()
    with opened_shot(root / f"out{suffix}") as film:
        total = sum(frame.seconds for frame in film.frames)
        assert total == pytest.approx(0.6, abs=0.02)
    before = (root / f"out{suffix}").stat().st_mtime_ns
    assert colour(root, f"out{suffix}", "shot.webp")[0].kept == 4
    assert (root / f"out{suffix}").stat().st_mtime_ns == before


def test_hints_tell_colours_without_a_network(root):
    hints = Hints((96, 64), (Stroke(((20, 35), (30, 35)), 4, BOX),))
    write_hints(root / "lines/0000.hints.json", hints)
    result, _ = colour(root, hints="auto")
    assert result.done == 8
    picture = read_rgb(root / "out/0007.png")
    assert tuple(picture[35, 38]) == BOX and (picture[5, 80] == 255).all()


def test_a_painter_paints_the_first_frame_and_the_others_follow(root):
    painter = Painter(make_generator(), device="cpu", flats=True)
    result, _ = colour(root, checkpoint="tiny", options={"painter": painter, "flats": True})
    assert result.done == 8
    drawing = read_rgb(root / "lines/0000.png")[..., 0]
    np.testing.assert_array_equal(read_rgb(root / "out/0000.png"), painter.paint(drawing))
    entries = json.loads((root / "out/animate.json").read_text())["frames"]
    assert {entry["frame"]: entry["key"] for entry in entries}["0000"] == "painted"


def test_a_signal_ends_it_between_frames_and_the_same_command_goes_on(root, monkeypatch):
    write = shot_pipeline._write

    def interrupted(files, coloured):
        write(files, coloured)
        if files["picture"].name == "0003.png":
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(shot_pipeline, "_write", interrupted)
    result, place = colour(root, "out.webp")
    assert result.signum == signal.SIGINT and 0 < result.left < 8
    assert f"{result.left} left by SIGINT (the same command does them)" in summary(result, place)
    assert not (root / "out.webp").exists()
    monkeypatch.setattr(shot_pipeline, "_write", write)
    again, _ = colour(root, "out.webp")
    assert again.done == result.left and again.kept == result.done
    whole, _ = colour(root, "whole")
    for number in range(8):
        name = f"{number:04d}.png"
        left, right = (root / folder / name for folder in ("out.webp.frames", "whole"))
        assert left.read_bytes() == right.read_bytes()


def test_what_failed_is_told_and_recorded_and_the_rest_done(root):
    (root / "lines/0004.png").write_bytes(b"no picture")
    result, place = colour(root)
    assert result.done == 7 and len(result.failed) == 1
    assert "failed: " in summary(result, place) and "0004.png: expected a readable" in summary(
        result, place
    )
    entries = json.loads((root / "out/animate.json").read_text())
    failed = [entry for entry in entries["frames"] if entry["status"] == "failed"]
    assert [entry["frame"] for entry in failed] == ["0004"]


def test_a_shot_without_a_frame_to_colour_leaves_no_film(root):
    for number in range(1, 8):
        (root / f"lines/{number:04d}.png").write_bytes(b"no picture")
    (root / "keys/0007.png").unlink()
    (root / "lines/0000.png").write_bytes((root / "lines/0000.png").read_bytes()[:40])
    write_hints(root / "lines/0003.hints.json", Hints((96, 64)))
    result, _ = colour(root, "out.webp", hints="auto")
    assert result.done == 0 and len(result.failed) == 8
    assert not (root / "out.webp").exists()


def test_the_page_is_there_while_there_is_something_to_look_at(root, monkeypatch):
    for number in range(8):
        colour_of = np.asarray(Image.open(root / f"lines/{number:04d}.png")).copy()
        colour_of[4:9, 70:80] = 0 if number in (3, 4) else 255
        colour_of[5:8, 71:79] = 255
        Image.fromarray(colour_of).save(root / f"lines/{number:04d}.png")
    result, place = colour(root)
    entries = json.loads((root / "out/animate.json").read_text())["frames"]
    unsure = [entry for entry in entries if entry["unsure"]]
    assert result.unsure == len(unsure)
    assert (root / "out/animate.html").is_file() == bool(unsure)
    assert (f"{len(unsure)} with regions to look at" in summary(result, place)) == bool(unsure)
