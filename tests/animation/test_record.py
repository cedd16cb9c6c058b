"""Where files go, and the record of all runs."""

import json

import pytest

from sketch2paint.animation.record import Place, Record


def test_a_folder_takes_frames_and_a_film_has_its_folder_beside_it(tmp_path):
    place = Place(tmp_path / "out", tmp_path / "in")
    assert place.film is None
    assert place.files("0001", layers=False) == {"picture": tmp_path / "out/0001.png"}
    assert [p.name for p in place.files("0001", layers=True).values()] == [
        "0001.png", "0001.colours.png", "0001.ora",
    ]  # fmt: skip
    place = Place(tmp_path / "out.mp4", tmp_path / "in.mp4")
    assert (place.film, place.folder) == (tmp_path / "out.mp4", tmp_path / "out.mp4.frames")


def test_the_input_and_other_files_are_no_output(tmp_path):
    with pytest.raises(ValueError, match="expected another `output` than the input, got the same"):
        Place(tmp_path / "a" / "..", tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="expected a folder or a file as .gif, .png"):
        Place(tmp_path / "notes.txt", tmp_path / "in")


def test_somebody_else_s_pictures_stay(tmp_path):
    place = Place(tmp_path, tmp_path / "in")
    place.check(["0001"], overwrite=False)
    (tmp_path / "0001.png").write_text("mine")
    place.check(["0002"], overwrite=False)
    with pytest.raises(ValueError, match="0001.png: expected no picture that animate.py has not w"):
        place.check(["0001"], overwrite=False)
    place.check(["0001"], overwrite=True)
    Record(tmp_path).write()
    place.check(["0001"], overwrite=False)


def test_a_record_is_read_again(tmp_path):
    record = Record(tmp_path)
    record.add("0001", {"status": "done", "made_of": "abc"})
    record.add("0002", {"status": "failed"})
    assert json.loads(record.path.read_text())["frames"][0]["frame"] == "0001"  # at once
    record.write(cuts=["0002"])
    again = Record(tmp_path)
    assert again.made_of("0001") == "abc"
    assert again.made_of("0002") == again.made_of("0003") == ""
    assert json.loads(record.path.read_text())["cuts"] == ["0002"]


def test_another_file_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "animate.json").write_text("[]")
    with pytest.raises(ValueError, match="expected the record of an earlier animate.py, got TypeE"):
        Record(tmp_path)
