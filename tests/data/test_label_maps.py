import cv2
import numpy as np

from sketch2paint.data import label_maps
from sketch2paint.data.label_maps import regions_kept
from sketch2paint.hints.regions import find_regions


def drawing(door: int = 6) -> np.ndarray:
    sketch = np.full((60, 90), 255, np.uint8)
    cv2.rectangle(sketch, (10, 10), (80, 50), 0, 2)
    cv2.line(sketch, (45, 10), (45, 50), 0, 2)
    sketch[30 : 30 + door, 40:50] = 255
    return sketch


def assert_same(one, other):
    for name in ("labels", "ink", "joins", "openings"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert ours.dtype == theirs.dtype, name
        np.testing.assert_array_equal(ours, theirs)


def test_regions_are_found_once(tmp_path, monkeypatch):
    sketch, found = drawing(), find_regions(drawing())
    assert len(found.joins)
    assert_same(regions_kept(tmp_path / "a", sketch), found)
    assert len(list((tmp_path / "a").iterdir())) == 1
    monkeypatch.setattr(label_maps, "find_regions", None)
    assert_same(regions_kept(tmp_path / "a", sketch), found)


def test_another_drawing_or_other_code_has_other_regions(tmp_path, monkeypatch):
    regions_kept(tmp_path, drawing())
    assert_same(regions_kept(tmp_path, drawing(20)), find_regions(drawing(20)))
    blank = np.full((60, 90), 255, np.uint8)
    assert regions_kept(tmp_path, blank).labels.shape == (60, 90)
    assert regions_kept(tmp_path, blank.reshape(90, 60)).labels.shape == (90, 60)
    monkeypatch.setattr(label_maps, "CODE", b"another")
    regions_kept(tmp_path, drawing())
    assert len(list(tmp_path.iterdir())) == 5


def test_a_damaged_file_is_made_anew(tmp_path):
    found = regions_kept(tmp_path, drawing())
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[:-40], b"a letter", whole[:200] + bytes(50) + whole[250:]):
        path.write_bytes(damaged)
        assert_same(regions_kept(tmp_path, drawing()), found)
        assert_same(regions_kept(tmp_path, drawing()), found)


def test_without_a_folder_or_room_they_are_found_every_time(tmp_path, full_disk):
    assert_same(regions_kept(None, drawing()), find_regions(drawing()))
    full_disk(1)
    assert_same(regions_kept(tmp_path, drawing()), find_regions(drawing()))
    full_disk(0)
    assert not list(tmp_path.iterdir())
