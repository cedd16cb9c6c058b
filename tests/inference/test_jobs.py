from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from sketch2paint.inference.jobs import STDIO, Job, find_reals, left_out, plan_jobs, share_of


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def jobs_of(*inputs: object, output: Path, **options: object) -> list[Job]:
    return plan_jobs([str(entry) for entry in inputs], output=str(output), **options)  # type: ignore[arg-type]


def relative(jobs: list[Job], source: Path, output: Path) -> dict[str, str]:
    return {
        job.source.relative_to(source).as_posix(): job.picture.relative_to(output).as_posix()
        for job in jobs
    }


@pytest.fixture
def sketches(tmp_path: Path) -> Path:
    return touch(tmp_path / "in", "a.png", "b.jpg", "deep/er/c.png")


# ---------------------------------------------------------------- names


def test_tree_is_mirrored_as_png(sketches: Path, tmp_path: Path) -> None:
    jobs = jobs_of(sketches, output=tmp_path / "out")
    assert relative(jobs, sketches, tmp_path / "out") == {
        "a.png": "a.png",
        "b.jpg": "b.png",
        "deep/er/c.png": "deep/er/c.png",
    }
    assert not (tmp_path / "out").exists()  # so far nothing is written


@pytest.mark.parametrize("format_", ["jpg", "webp"])
def test_the_format_is_the_suffix(sketches: Path, tmp_path: Path, format_: str) -> None:
    jobs = jobs_of(sketches, output=tmp_path / "out", format=format_)
    assert {job.picture.suffix for job in jobs} == {job.suffix for job in jobs} == {f".{format_}"}


def test_other_formats_are_refused(sketches: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`format` to be one of auto, png, jpg, webp, got 'tif'"):
        jobs_of(sketches, output=tmp_path / "out", format="tif")


def test_inputs_that_would_collide_keep_their_suffix(tmp_path: Path) -> None:
    source = touch(tmp_path / "in", "a.png", "a.jpg", "b.jpg", "deep/a.webp", "a.b.png", "B.png")
    jobs = jobs_of(source, output=tmp_path / "out")
    assert relative(jobs, source, tmp_path / "out") == {
        "a.png": "a.png.png",
        "a.jpg": "a.jpg.png",
        "b.jpg": "b.jpg.png",  # on some systems b and B are one name
        "B.png": "B.png.png",
        "deep/a.webp": "deep/a.png",
        "a.b.png": "a.b.png",
    }


def test_no_two_inputs_share_an_output(tmp_path: Path) -> None:
    names = ["a.png", "a.jpg", "a.jpg.png", "a.jpg.webp", "a.png.png.jpg", "a.png.bmp"]
    names += ["a.compare.png", "a.colours.bmp", "a.compare.png.compare.jpg"]
    source = touch(tmp_path / "in", *names)
    jobs = jobs_of(source, output=tmp_path / "out", layers=True, compare=True)
    files = [path for job in jobs for path in job.files.values()]
    assert len(files) == len(set(files)) == 4 * len(names)


def test_layers_and_compare_stand_beside_the_picture(tmp_path: Path) -> None:
    source = touch(tmp_path / "in", "a.jpg")
    (job,) = jobs_of(source, output=tmp_path / "out", format="webp", layers=True, compare=True)
    names = {kind: path.name for kind, path in job.files.items()}
    assert names == {
        "picture": "a.webp",
        "colours": "a.colours.png",
        "layers": "a.ora",
        "compare": "a.compare.png",
    }


def test_variations_are_numbered_and_on_a_sheet(tmp_path: Path) -> None:
    source = touch(tmp_path / "in", "a.jpg") / "a.jpg"
    names = {"picture": "a.1.webp", "2": "a.2.webp", "3": "a.3.webp", "sheet": "a.variations.png"}
    for output in (tmp_path / "out", tmp_path / "a.webp"):
        (job,) = jobs_of(source, output=output, format="webp", variations=3)
        assert {kind: path.name for kind, path in job.files.items()} == names
    (job,) = jobs_of(source, output=tmp_path / "out", variations=1)
    assert list(job.files) == ["picture"]
    for keys in ({"layers": True}, {"compare": True}):
        with pytest.raises(ValueError, match="Expected no `layers`, `psd` or .*variations=3, wh"):
            jobs_of(source, output=tmp_path / "out", variations=3, **keys)
    with pytest.raises(ValueError, match="no output=- with variations=2, which are pictures alo"):
        jobs_of(source, output="-", variations=2)


def test_a_taken_name_gets_its_folder_in_front(tmp_path: Path) -> None:
    for folder in ("one/x", "two/x", "three"):
        touch(tmp_path / folder, "a.png", f"{folder[0]}.png")
    inputs = [tmp_path / "one/x", tmp_path / "two/x", tmp_path / "three/a.png"]
    jobs = jobs_of(*inputs, output=tmp_path / "out")
    assert relative(jobs, tmp_path, tmp_path / "out") == {
        "one/x/a.png": "a.png",
        "one/x/o.png": "o.png",
        "two/x/a.png": "x/a.png",
        "two/x/t.png": "t.png",
        "three/a.png": "three/a.png",
    }


def test_a_file_in_several_inputs_is_painted_once(sketches: Path, tmp_path: Path) -> None:
    glob = str(sketches / "*.png")
    jobs = jobs_of(sketches / "a.png", sketches, glob, sketches, output=tmp_path / "out")
    assert [job.source.name for job in jobs] == ["a.png", "b.jpg", "c.png"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.png", {"a.png": "a.png"}),
        ("**/*.png", {"a.png": "a.png", "deep/er/c.png": "deep/er/c.png"}),
        ("deep/*/c.*", {"deep/er/c.png": "er/c.png"}),
        ("?.jpg", {"b.jpg": "b.png"}),
        ("*", {"a.png": "a.png", "b.jpg": "b.png"}),
    ],
)
def test_a_glob_is_named_from_its_fixed_folder(
    sketches: Path, tmp_path: Path, pattern: str, found: dict[str, str]
) -> None:
    touch(sketches, "notes.txt", ".hidden.png", ".git/x.png")
    jobs = jobs_of(sketches / pattern, output=tmp_path / "out")
    assert relative(jobs, sketches, tmp_path / "out") == found


@pytest.mark.parametrize("pattern", ["", "**/*.png"])
def test_a_link_that_loops_ends(sketches: Path, tmp_path: Path, pattern: str) -> None:
    (sketches / "deep/loop").symlink_to(sketches)
    (sketches / "self.png").symlink_to(sketches / "self.png")
    jobs = jobs_of(str(sketches / pattern), output=tmp_path / "out")
    assert len({job.source for job in jobs}) == len(jobs) <= 4


# ---------------------------------------------------------------- one picture


@pytest.mark.parametrize("name", ["new.png", "new.PNG", "new/x.jpeg", "x.webp"])
def test_one_file_to_a_file_name(sketches: Path, tmp_path: Path, name: str) -> None:
    (job,) = jobs_of(sketches / "b.jpg", output=tmp_path / name, layers=True)
    assert job.picture == tmp_path / name
    assert job.suffix == Path(name).suffix.lower()
    assert job.files["layers"] == (tmp_path / name).with_suffix(".ora")
    assert job.problem() is None


def test_one_file_to_a_folder(sketches: Path, tmp_path: Path) -> None:
    (job,) = jobs_of(sketches / "b.jpg", output=tmp_path / "out")
    assert job.picture == tmp_path / "out" / "b.png"
    (tmp_path / "folder.png").mkdir()
    (job,) = jobs_of(sketches / "b.jpg", output=tmp_path / "folder.png")
    assert job.picture == tmp_path / "folder.png" / "b.png"


def test_the_suffix_and_format_of_a_file_agree(sketches: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"x\.jpg: expected its suffix and `format` to agree"):
        jobs_of(sketches / "a.png", output=tmp_path / "x.jpg", format="png")


def test_standard_input_and_output(tmp_path: Path, sketches: Path) -> None:
    (job,) = jobs_of("-", output=tmp_path)
    assert (job.source, job.picture) == (STDIO, tmp_path / "stdin.png")
    (job,) = jobs_of(sketches / "a.png", output=STDIO, format="webp")
    assert (job.picture, job.suffix, job.missing()) == (STDIO, ".webp", ["picture"])
    for inputs, options, got in (
        ([sketches], {}, f"input={sketches}"),
        (["-"], {"layers": True}, "input=-, layers=true"),
        (["-"], {"psd": True}, "input=-, psd=true"),
        ([sketches], {"compare": True}, f"input={sketches}, compare=true"),
    ):
        expected = f"no `layers`, no `psd` and no `compare` with output=-, got {got}. Pass a"
        with pytest.raises(ValueError, match=expected):
            jobs_of(*inputs, output=STDIO, **options)


# ---------------------------------------------------------------- what must not be written over


def test_output_inside_the_input_is_not_read_again(sketches: Path) -> None:
    for entry in (sketches, sketches / "**/*.png"):
        before = jobs_of(entry, output=sketches / "coloured")
        touch(sketches / "coloured", "a.png", "deep/er/c.png")
        assert jobs_of(entry, output=sketches / "coloured") == before
        assert len(before) in (2, 3)


def test_output_above_the_input_is_fine(sketches: Path) -> None:
    jobs = jobs_of(sketches, output=sketches.parent)
    assert relative(jobs, sketches, sketches.parent)["b.jpg"] == "b.png"


def test_input_is_never_written_over(tmp_path: Path) -> None:
    # Above the input, in/in/a.png would become in/a.png, which is a sketch as well.
    source = touch(tmp_path / "in", "a.png", "in/a.png")
    with pytest.raises(ValueError, match=r"place than `input`, got one .*\. Pass another\."):
        jobs_of(source, output=tmp_path)


def test_output_equal_to_the_input_is_refused(
    sketches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sketches.parent)
    for entry in (sketches, sketches / "*.jpg"):
        for output in (sketches, sketches / "deep" / "..", Path("in")):
            with pytest.raises(ValueError, match="expected `output` to be a folder other than"):
                jobs_of(entry, output=output)


def test_one_file_onto_itself_is_refused(sketches: Path) -> None:
    for output in (sketches, sketches / "a.png", sketches / "deep" / ".." / "a.png"):
        with pytest.raises(ValueError, match="expected `output` to be another place than `input`"):
            jobs_of(sketches / "a.png", output=output)


def test_folder_into_a_file_is_refused(sketches: Path, tmp_path: Path) -> None:
    touch(tmp_path, "file")
    for output in (tmp_path / "file", tmp_path / "file" / "deep"):
        with pytest.raises(ValueError, match="file: expected `output` to be a folder, got a file"):
            jobs_of(sketches, output=output)


def test_a_link_or_dots_that_leave_the_output_are_refused(sketches: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    out.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (out / "deep").symlink_to(tmp_path / "elsewhere")
    found = {job.source.name: job.problem() for job in jobs_of(sketches, output=out)}
    assert found["a.png"] is None and found["b.jpg"] is None
    assert f"{out}/deep/er/c.png: expected a place inside {out}, got " in str(found["c.png"])
    (job,) = jobs_of(sketches / "d*/../a.png", output=out)
    assert "expected a place inside" in str(job.problem())


def test_an_output_folder_that_is_a_link_itself_is_fine(sketches: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    assert {job.problem() for job in jobs_of(sketches, output=tmp_path / "out")} == {None}


# ---------------------------------------------------------------- nothing to paint


def test_folder_without_pictures(tmp_path: Path) -> None:
    touch(tmp_path / "in", "notes.txt", ".hidden.png")
    with pytest.raises(ValueError, match=r"in: no pictures\. Expected sketches"):
        jobs_of(tmp_path / "in", output=tmp_path / "out")


def test_what_is_there_instead_is_said(tmp_path: Path) -> None:
    touch(tmp_path / "in", "a.heic", "b.psd")
    with pytest.raises(ValueError, match=r"or \.webp files, got 1 \.heic, 1 \.psd\. Save them as"):
        jobs_of(tmp_path / "in", output=tmp_path / "out")


def test_what_is_left_out_is_listed_but_for_the_output(tmp_path: Path) -> None:
    folder = touch(tmp_path / "in", "a.png", "a.jfif", "b.heic", "out/a.ora", "deep/c.psd")
    jobs = jobs_of(folder, output=folder / "out")
    assert {job.source.name for job in jobs} == {"a.png", "a.jfif"}
    assert left_out([str(folder)], str(folder / "out")) == {
        folder / "b.heic": ".heic",
        folder / "deep/c.psd": ".psd",
    }
    assert left_out([str(folder / "*.*"), "-"], "x") == {folder / "b.heic": ".heic"}


def test_a_name_with_the_signs_of_a_glob_is_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "Chapter [01]/a.png", "Chapter 0/b.png", "x/p [1]/c [2].png", "x/p 1/d.png")

    def sources(entry: str) -> set[str]:
        return {job.source.as_posix() for job in plan_jobs([entry], output="out")}

    assert sources("Chapter [01]") == {"Chapter [01]/a.png"}
    assert sources("Chapter [01]/*.png") == {"Chapter [01]/a.png"}
    assert sources("Chapter [01]/[ab].png") == {"Chapter [01]/a.png"}
    assert sources("*/p [1]/*.png") == {"x/p [1]/c [2].png", "x/p 1/d.png"}
    assert sources("x/p [1]/c [2].png") == {"x/p [1]/c [2].png"}
    assert sources("x/*/c [2].png") == {"x/p [1]/c [2].png"}
    assert sources("Chapter [0]/*.png") == {"Chapter 0/b.png"}
    (job,) = plan_jobs(["Chapter [01]/*.png"], output="out")
    assert job.picture == Path("out/a.png")


def test_missing_input(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone: no such file or folder\. Pass input="):
        jobs_of(tmp_path / "gone", output=tmp_path / "out")


# ---------------------------------------------------------------- missing files, shares, reals


def test_missing_kinds_are_told(sketches: Path, tmp_path: Path) -> None:
    (job,) = jobs_of(sketches / "a.png", output=tmp_path / "out", compare=True)
    assert job.missing() == ["picture", "compare"]
    touch(tmp_path / "out", "a.png")
    assert job.missing() == ["compare"]


def test_hints_that_are_gone_since_make_no_file_old(sketches: Path, tmp_path: Path) -> None:
    (job,) = jobs_of(sketches / "a.png", output=tmp_path / "out")
    job = replace(job, hints=tmp_path / "gone.json")
    assert job.missing() == ["picture"]
    touch(tmp_path / "out", "a.png")
    assert job.missing() == []


@pytest.mark.parametrize(
    ("shard", "environment", "share"),
    [
        ("auto", {}, (0, 1)),
        ("2/3", {"RANK": "0", "WORLD_SIZE": "2"}, (2, 3)),
        ("auto", {"RANK": "1", "WORLD_SIZE": "2"}, (1, 2)),
        ("auto", {"RANK": "1"}, (0, 1)),
        ("auto", {"SLURM_PROCID": "3", "SLURM_NTASKS": "4"}, (3, 4)),
        ("auto", {"SLURM_PROCID": "3", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "9"}, (0, 1)),
        (
            "auto",
            {"SLURM_PROCID": "3", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "9", "SLURM_STEP_ID": "0"},
            (3, 4),
        ),
    ],
)
def test_share(shard: str, environment: dict[str, str], share: tuple[int, int]) -> None:
    assert share_of(shard, environment) == share


@pytest.mark.parametrize("shard", ["3/3", "1", "-1/2", "a/b", "0/0", "1/2/3", ""])
def test_share_that_is_none(shard: str) -> None:
    with pytest.raises(ValueError, match="Expected `shard` to be auto or I/N with I from 0 to N-1"):
        share_of(shard, {})


def test_a_real_picture_has_the_same_name_whatever_the_suffix(
    sketches: Path, tmp_path: Path
) -> None:
    folder = touch(tmp_path / "truth", "a.jpg", "b.png", "deep/er/c.webp")
    jobs = jobs_of(sketches, output=tmp_path / "out")
    found = find_reals(jobs, folder)
    assert [os.path.relpath(found[job.source], folder) for job in jobs] == [
        "a.jpg",
        "b.png",
        "deep/er/c.webp",
    ]
    (folder / "b.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"truth/b\.jpg: no true picture of that name"):
        find_reals(jobs, folder)


@pytest.mark.parametrize(
    ("entry", "output"), [("a.png", "out.tif"), ("in", "x.png"), ("in/*.png", "sheet.jpg")]
)
def test_a_picture_s_name_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for path in ("a.png", "in/b.png", "in/c.png"):
        Path(path).touch()
    with pytest.raises(ValueError, match=rf"{output}: expected a folder, or for a single picture"):
        plan_jobs([entry], output=output)
    Path(output).mkdir()  # unless it is one
    assert plan_jobs([entry], output=output)[0].folder == Path(output)
