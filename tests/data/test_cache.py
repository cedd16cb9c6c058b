from __future__ import annotations

import errno
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from sketch2paint.data import cache
from sketch2paint.data.cache import build, cache_path, changes, open_cache
from sketch2paint.data.sources import Item, Source

SIZES = {"train": 20, "val": 16}
PARAMETERS = {"size": 16, "jitter": 4}
ROOT = Path(__file__).parents[2]


def fit(picture: np.ndarray, split: str) -> np.ndarray:
    return cv2.resize(picture, (SIZES[split],) * 2, interpolation=cv2.INTER_AREA)


def fit_shorter(picture: np.ndarray, split: str) -> np.ndarray:
    """The shorter side to 8, the aspect kept."""
    scale = 8 / min(picture.shape[:2])
    height, width = (round(side * scale) for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


class Counted:
    """`fit` that counts its calls and, once, raises `error` at call number `at`."""

    def __init__(self, error: BaseException | None = None, at: int = 0) -> None:
        self.error, self.at, self.calls = error, at, 0

    def __call__(self, picture: np.ndarray, split: str) -> np.ndarray:
        self.calls += 1
        if self.error is not None and self.calls == self.at:
            raise self.error
        return fit(picture, split)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "CHUNK", 4)
    monkeypatch.setattr(cache, "PROBES", 1)


@pytest.fixture
def source(tmp_path: Path, write_pairs: Callable[..., list[Path]]) -> Source:
    """20 pairs in train/, 3 in val/."""
    write_pairs(tmp_path / "pairs" / "train", 20, seed=1)
    write_pairs(tmp_path / "pairs" / "val", 3, seed=2)
    return Source("pairs", (tmp_path / "pairs",))


@pytest.fixture
def splits(source: Source) -> dict[str, list[Item]]:
    return source.find(0.1, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "pairs-1234"


def make(
    path: Path,
    source: Source,
    splits: dict[str, list[Item]],
    fit: Any = fit,
    parameters: dict[str, Any] = PARAMETERS,
    workers: int = 2,
) -> None:
    build(path, source=source, splits=splits, fit=fit, parameters=parameters, workers=workers)


def written(path: Path) -> bytes:
    return (path / "pictures.u8").read_bytes()


def unbroken(source: Source, splits: dict[str, list[Item]]) -> bytes:
    parts = [fit(source.read(item), split) for split in splits for item in splits[split]]
    return b"".join(part.tobytes() for part in parts)


def changed(path: Path, source: Source, parameters: dict[str, Any] = PARAMETERS) -> list[str]:
    return changes(path, source=source, splits=source.find(0.1, 0), parameters=parameters)


def looks_whole(path: Path) -> bool:
    return (path / "index.json").exists()


# ---------------------------------------------------------------- round trip


def test_pairs_come_back(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    make(path, source, splits)
    pictures = open_cache(path)
    assert {split: len(found) for split, found in pictures.items()} == {"train": 20, "val": 3}
    for split, items in splits.items():
        for index, item in enumerate(items):
            np.testing.assert_array_equal(pictures[split][index], fit(source.read(item), split))
    assert pictures["train"][0].shape == (20, 20, 4)
    assert pictures["val"][-1].shape == (16, 16, 4)
    assert not pictures["val"][0].flags.writeable
    assert len(list(pictures["val"])) == 3  # it ends with an IndexError, as a sequence should
    assert changed(path, source) == []
    assert sorted(os.listdir(path)) == ["index.json", "lock", "pictures.u8"]


def test_ragged_paintings_come_back(paintings: Path, path: Path) -> None:
    source = Source("pictures", (paintings,))
    splits = source.find(0.3, 0)
    make(path, source, splits, fit_shorter, {"size": 8})
    pictures = open_cache(path)
    for split, items in splits.items():
        assert len(pictures[split]) == len(items)
        for index, item in enumerate(items):
            expected = fit_shorter(source.read(item), split)
            np.testing.assert_array_equal(pictures[split][index], expected)
    assert len({picture.shape for picture in pictures["train"]}) > 3


def test_two_folders_and_long_names(tmp_path: Path, path: Path) -> None:
    names = ["with space.png", "прóба 画.png", "x" * 196 + ".png", "sub folder/é.png"]
    for folder in ("colours", "sketches"):
        for number, name in enumerate(names):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (number, 50, 60)).save(tmp_path / folder / name)
    source = Source("two_folders", (tmp_path / "colours", tmp_path / "sketches"))
    splits = source.find(0.3, 0)
    make(path, source, splits)
    for split, items in splits.items():
        for picture, item in zip(open_cache(path)[split], items, strict=True):
            np.testing.assert_array_equal(picture, fit(source.read(item), split))
    assert changed(path, source) == []
    Image.new("L", (16, 16), 200).save(tmp_path / "sketches" / names[1])
    assert changed(path, source) == [f"1 file changed (first: {names[1]})"]


def test_a_fresh_cache_is_left_as_it_is(
    source: Source, splits: dict[str, list[Item]], path: Path
) -> None:
    make(path, source, splits)
    before = (path / "pictures.u8").stat()
    again = Counted()
    make(path, source, splits, again)
    assert again.calls == 0 and (path / "pictures.u8").stat() == before


# ---------------------------------------------------------------- cache_path


def test_cache_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my pairs").mkdir()
    source = Source("pairs", (tmp_path / "my pairs",))
    path = cache_path("caches", source)
    assert path.parent == Path("caches") and path.name.startswith("my pairs-")
    assert cache_path("caches", Source("pairs", source.folders, "right")) == path  # one a source
    monkeypatch.chdir(tmp_path)
    assert cache_path("caches", Source("pairs", (Path("my pairs"),))) == path
    others = [
        cache_path("caches", Source("pictures", source.folders)),
        cache_path("caches", Source("pairs", (tmp_path / "b" / "my pairs",))),
        cache_path("caches", Source("two_folders", (*source.folders, tmp_path / "b"))),
        cache_path("caches", Source("two_folders", (*source.folders, tmp_path / "c"))),
    ]
    assert len({path, *others}) == 5
    long = cache_path("caches", Source("pairs", (tmp_path / ("画" * 80),)))
    assert len(os.fsencode(long.name)) < 200


# ---------------------------------------------------------------- changes


def test_no_cache(source: Source, path: Path) -> None:
    assert changed(path, source) == ["no cache"]
    with pytest.raises(ValueError, match=r"pairs-1234: no cache\. Run prepare\.py"):
        open_cache(path)


def test_changed_parameters(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    make(path, source, splits)
    assert changed(path, source, {"size": 128, "jitter": 4}) == ["made for size 16, now 128"]
    right = Source("pairs", source.folders, "right")
    assert changed(path, right, {**PARAMETERS, "fit": [1, 2]}) == [
        "made for colour_side left, now right",
        "made for fit unset, now [1, 2]",
    ]
    again = Counted()
    make(path, right, splits, again)
    assert again.calls == 23 + 2
    assert written(path) == unbroken(right, splits) != unbroken(source, splits)


def test_changed_files(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    make(path, source, splits)
    train = source.folders[0] / "train"
    status = (train / "003.png").stat()
    os.utime(train / "003.png", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert changed(path, source) == ["1 file changed (first: train/003.png)"]
    with open(train / "004.png", "ab") as file:
        file.write(b"tail")
    for name in ("new a.png", "new é.png", "new c.png"):
        (train / name).write_bytes((train / "000.png").read_bytes())
    (source.folders[0] / "val" / "001.png").unlink()
    assert changed(path, source) == ["3 files added, 2 changed, 1 removed (first: train/new a.png)"]
    splits = source.find(0.1, 0)
    make(path, source, splits)
    assert changed(path, source) == [] and written(path) == unbroken(source, splits)


def test_a_link_to_nowhere_is_a_change_not_an_error(
    source: Source, splits: dict[str, list[Item]], path: Path
) -> None:
    make(path, source, splits)
    (source.folders[0] / "train" / "lost.png").symlink_to("nowhere.png")
    lost = source.folders[0] / "train" / "lost.png"
    assert changed(path, source) == [f"{lost}: No such file or directory"]


def test_changed_split(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    make(path, source, splits)
    moved = {"train": splits["train"][1:], "val": [*splits["val"], splits["train"][0]]}
    text = ["the same files in other splits or another order"]
    assert changes(path, source=source, splits=moved, parameters=PARAMETERS) == text
    turned = {"train": splits["train"][::-1], "val": splits["val"]}
    assert changes(path, source=source, splits=turned, parameters=PARAMETERS) == text


def test_truncated(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    make(path, source, splits)
    os.truncate(path / "pictures.u8", (path / "pictures.u8").stat().st_size - 1)
    text = "pictures.u8 is shorter than its index says (truncated)"
    assert changed(path, source) == [text]
    with pytest.raises(ValueError, match=r"is shorter than its index says \(truncated\)\. Run"):
        open_cache(path)
    make(path, source, splits)
    assert changed(path, source) == [] and written(path) == unbroken(source, splits)
    (path / "pictures.u8").unlink()
    assert changed(path, source) == ["no cache"]


@pytest.mark.parametrize("version", [1, 99])  # 1: before images/pixels.py read grey of every depth
def test_another_version(
    source: Source, splits: dict[str, list[Item]], path: Path, version: int
) -> None:
    make(path, source, splits)
    index = json.loads((path / "index.json").read_text())
    (path / "index.json").write_text(json.dumps({**index, "version": version}))
    (path / "pictures.u8").write_bytes(bytes(len(written(path))))  # all black, as they were read
    assert changed(path, source) == ["written by another version"]
    with pytest.raises(ValueError, match=r"written by another version\. Run prepare\.py for it"):
        open_cache(path)
    make(path, source, splits)
    assert changed(path, source) == [] and written(path) == unbroken(source, splits)
    (path / "index.json").write_text('{"version": 1, "par')
    assert changed(path, source) == ["index.json is damaged"]
    make(path, source, splits)
    assert changed(path, source) == []


# ---------------------------------------------------------------- interrupted


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError("full")])
def test_an_interrupted_build_continues(
    source: Source,
    splits: dict[str, list[Item]],
    path: Path,
    error: BaseException,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises((KeyboardInterrupt, ValueError)):
        make(path, source, splits, Counted(error, at=16), workers=1)
    assert not looks_whole(path) and changed(path, source) == ["no cache"]
    second = Counted()
    make(path, source, splits, second, workers=1)
    # 2 probes, then 13 whole pictures before call 16: three chunks of 4 are kept.
    assert second.calls == 2 + 23 - 12
    assert "going on after 12 pictures" in capsys.readouterr().out
    assert written(path) == unbroken(source, splits) and changed(path, source) == []


def break_off(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    """Leave 12 pictures and a torn tail."""
    with pytest.raises(KeyboardInterrupt):
        make(path, source, splits, Counted(KeyboardInterrupt(), at=16), workers=1)


def test_a_stale_cache_never_looks_whole_while_it_is_made_anew(
    source: Source, splits: dict[str, list[Item]], path: Path
) -> None:
    make(path, source, splits, parameters={"size": 99})
    break_off(source, splits, path)
    assert not looks_whole(path) and changed(path, source, {"size": 99}) == ["no cache"]
    make(path, source, splits)
    assert written(path) == unbroken(source, splits) and changed(path, source) == []


def test_what_is_torn_is_cut(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    break_off(source, splits, path)
    with open(path / "journal", "a") as journal:
        journal.write("[[20, 20, 4], [20,")  # a line that was being written
    os.truncate(path / "pictures.u8", 20 * 20 * 4 * 11)  # inside the third chunk
    second = Counted()
    make(path, source, splits, second)
    assert second.calls == 2 + 23 - 8
    assert written(path) == unbroken(source, splits) and changed(path, source) == []


@pytest.mark.parametrize("what", ["parameters", "files", "pictures"])
def test_another_plan_starts_anew(
    source: Source,
    splits: dict[str, list[Item]],
    path: Path,
    what: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    break_off(source, splits, path)
    parameters = {**PARAMETERS, "jitter": 5} if what == "parameters" else PARAMETERS
    if what == "files":
        os.utime(splits["train"][0][0], ns=(1, 1))
    if what == "pictures":
        os.truncate(path / "pictures.u8", 7)
    second = Counted()
    make(path, source, splits, second, parameters)
    assert "an interrupted run left what cannot be used; starting anew" in capsys.readouterr().out
    assert second.calls == 2 + 23 and written(path) == unbroken(source, splits)


CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_cache
from sketch2paint.data import cache
cache.CHUNK, cache.PROBES = 4, 1
source = cache.Source("pairs", (Path({root!r}),))
def slow(picture, split):
    time.sleep({pause})
    return test_cache.fit(picture, split)
print("begun", flush=True)
test_cache.make(Path({path!r}), source, source.find(0.1, 0), slow, workers=1)
"""


def child(source: Source, path: Path, pause: float) -> subprocess.Popen[str]:
    places = {
        "tests": str(Path(__file__).parent),
        "root": str(source.folders[0]),
        "path": str(path),
    }
    code = CHILD.format(**places, pause=pause)
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=2, text=True
    )


def wait_for_chunks(path: Path, count: int) -> None:
    end = time.monotonic() + 60
    while not (path / "journal").exists() or (path / "journal").read_text().count("\n") <= count:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_killed(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    with child(source, path, pause=0.05) as process:
        wait_for_chunks(path, 2)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL and not looks_whole(path)
    second = Counted()
    make(path, source, splits, second)  # the lock went with the process
    assert second.calls <= 2 + 23 - 8
    assert written(path) == unbroken(source, splits) and changed(path, source) == []


def test_two_processes_at_once(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    go_on = threading.Event()

    def held(picture: np.ndarray, split: str) -> np.ndarray:
        assert go_on.wait(60)
        return fit(picture, split)

    first = threading.Thread(target=make, args=(path, source, splits, held, PARAMETERS, 1))
    first.start()
    try:
        with child(source, path, pause=1000) as second:  # would never end if it did the work
            said = [second.stdout.readline() for _ in range(2)]  # type: ignore[union-attr]
            assert "another process is preparing it; waiting for it" in said[1]
            assert second.poll() is None and not looks_whole(path)
            go_on.set()
            assert second.wait(60) == 0
    finally:
        go_on.set()
        first.join()
    assert written(path) == unbroken(source, splits) and changed(path, source) == []


def test_two_threads_at_once(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    counted = Counted()
    arguments = (path, source, splits, counted, PARAMETERS, 1)
    threads = [threading.Thread(target=make, args=arguments) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.calls == 2 + 23 and written(path) == unbroken(source, splits)


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(
    source: Source,
    splits: dict[str, list[Item]],
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def flock(file: object, how: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    for _ in range(2):  # what the first one leaves is no lock to the second
        make(path, source, splits)
        assert changed(path, source) == []
        assert sorted(os.listdir(path)) == ["index.json", "lock", "pictures.u8"]


def test_a_folder_that_cannot_be_written_is_an_error(
    source: Source, splits: dict[str, list[Item]], path: Path
) -> None:
    (path / "lock").mkdir(parents=True)  # a file's permissions are nothing to root
    with pytest.raises(OSError, match="lock"):
        make(path, source, splits)


# ---------------------------------------------------------------- bad input, no space


def test_a_bad_file_is_named(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    bad = splits["train"][13][0]
    bad.write_bytes(bad.read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"train/013\.png: expected a readable picture"):
        make(path, source, splits)
    assert not looks_whole(path)
    bad.unlink()
    with pytest.raises(FileNotFoundError, match=r"013\.png"):
        make(path, source, splits)
    assert not looks_whole(path)


def test_a_failing_fit_is_named(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    with pytest.raises(ValueError, match=r"train/.*png: cannot be prepared, got: RuntimeError"):
        make(path, source, splits, Counted(RuntimeError("no"), 9))
    with pytest.raises(ValueError, match=r"expected \(h, w, c\) uint8 from `fit`, got \(32, 32"):
        make(path, source, splits, lambda p, split: p / 2)
    assert not looks_whole(path)


def test_too_little_space(
    source: Source,
    splits: dict[str, list[Item]],
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needed = 20 * 20**2 * 4 + 3 * 16**2 * 4
    free = SimpleNamespace(free=needed - 1)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: free)
    text = r"expected 0\.000 GB of free space for 23 pictures, got 0\.000 GB\. Free space, or"
    with pytest.raises(OSError, match=text):
        make(path, source, splits)
    assert not looks_whole(path) and not (path / "pictures.u8").exists()
    free.free = needed
    break_off(source, splits, path)
    free.free = needed - 12 * 20**2 * 4 - 1  # what is there already is not needed again
    with pytest.raises(OSError, match="of free space"):
        make(path, source, splits)
    free.free += 1
    make(path, source, splits)
    assert written(path) == unbroken(source, splits)


def test_the_disk_fills_up(
    source: Source,
    splits: dict[str, list[Item]],
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, calls = os.fsync, []

    def fsync(number: int) -> None:
        calls.append(number)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        real(number)

    monkeypatch.setattr(cache.os, "fsync", fsync)
    text = r"stopped after 8 of 23 pictures: No space left on device\. Free space and start again"
    with pytest.raises(OSError, match=text):
        make(path, source, splits)
    assert not looks_whole(path)
    second = Counted()
    make(path, source, splits, second)
    assert second.calls == 2 + 23 - 8 and written(path) == unbroken(source, splits)


def test_a_write_that_fails_half_way(
    source: Source, splits: dict[str, list[Item]], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))  # in the middle of picture 7
    try:
        with pytest.raises(OSError, match="stopped after 4 of 23 pictures: File too large"):
            make(path, source, splits)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not looks_whole(path)
    make(path, source, splits)
    assert written(path) == unbroken(source, splits)


# ---------------------------------------------------------------- Pictures in other processes


def total(pictures: cache.Pictures) -> int:
    return sum(int(picture.sum()) for picture in pictures)


def test_pictures_pickle(source: Source, splits: dict[str, list[Item]], path: Path) -> None:
    make(path, source, splits)
    pictures = open_cache(path)["train"]
    expected = total(pictures)
    packed = pickle.dumps(pictures)
    assert len(packed) < 3000 + 32 * len(pictures)
    assert total(pickle.loads(packed)) == expected
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(total, (pictures,)) == expected


def test_prepared_anew_while_in_use(
    source: Source, splits: dict[str, list[Item]], path: Path
) -> None:
    make(path, source, splits)
    pictures = open_cache(path)["train"]
    expected, packed = total(pictures), pickle.dumps(pictures)
    make(path, Source("pairs", source.folders, "right"), splits)
    assert total(pictures) == expected  # the old file lives as long as it is mapped
    with pytest.raises(ValueError, match="prepared anew while in use"):
        pickle.loads(packed)[0]


MEMORY = """
import sys
from pathlib import Path
from sketch2paint.data.cache import open_cache
def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1])
pictures = open_cache(Path(sys.argv[1]))["train"]
before = anonymous()
for _ in range(2):
    for index in range(len(pictures)):
        pictures[index].max()
print(len(pictures), anonymous() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path) -> None:
    grown = []
    for count in (1_000, 10_000):
        path = tmp_path / str(count)
        path.mkdir()
        (path / "pictures.u8").write_bytes(bytes(16 * 16 * 4 * count))
        shapes = {"train": [16, 16, 4] * count}
        index = {"version": cache.INDEX_VERSION, "parameters": {}, "files": {}, "shapes": shapes}
        (path / "index.json").write_text(json.dumps(index))
        command = [sys.executable, "-c", MEMORY, str(path)]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        length, kib = map(int, said.stdout.split())
        assert length == count
        grown.append(kib)
    assert max(grown) < 1024  # KiB; what is mapped belongs to the page cache
