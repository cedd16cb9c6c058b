from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from odd_pictures import BLACK_IS_ZERO, drawing, tiff
from PIL import Image

from sketch2paint.images.formats import (
    FORMATS,
    SUFFIXES,
    find_pictures,
    got_text,
    left_out_text,
    look_through,
)
from sketch2paint.images.io import picture_size, read_rgb

KRITA = io.BytesIO()
with zipfile.ZipFile(KRITA, "w") as archive:
    archive.writestr("mimetype", "application/x-krita")
TWO_SAMPLES = tiff(np.dstack([drawing()] * 2), 16, BLACK_IS_ZERO, extra=2)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "an empty file; its download or copy has failed"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer, not"),
        (b"<!DOCTYPE html><title>404</title>", "a web page, saved in the picture's place"),
        (b"\n<HTML lang=en><body>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "an SVG drawing; save it as PNG"),
        (b"8BPS\0\1" + bytes(40), "a Photoshop document; save it as PNG"),
        (b"gimp xcf v011\0", "a GIMP document; save it as PNG"),
        (KRITA.getvalue(), "a Krita document; save it as PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC photograph; save it as PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(9), "a JPEG XL picture; save it as PNG"),
        (b"%PDF-1.7\n", "a PDF document; save it as PNG"),
        (b"P7\nWIDTH 4\n", "a PAM picture; save it as PNG"),
        (b"PK\3\4" + bytes(40), "a zip archive: unpack it"),
        (b"\0\0\0\x18ftypmp42", "a film"),
        ('{"error": "né"}'.encode(), "a text file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "a damaged PNG file"),
        pytest.param(
            b"II*\0\xff\xff\xff\xff",
            "a damaged TIFF file",
            marks=pytest.mark.filterwarnings("ignore:Corrupt EXIF data"),
        ),
        (bytes(3000), f"none of {', '.join(FORMATS)}"),
        (
            TWO_SAMPLES,
            r"a TIFF file \(2 samples of 16 bits, unsigned, photometric interpretation 1, "
            r"compression 1\), of a kind that cannot be read; save it as PNG",
        ),
    ],
)
def test_what_a_file_is_is_said_with_the_way_out(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for look in (read_rgb, picture_size):
        with pytest.raises(ValueError, match=rf"a\.png: expected a readable picture, got: {said}"):
            look(path)


def test_nothing_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nothing").touch()
    with open(tmp_path / "nothing") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(ValueError, match="-: expected a .* got: nothing on standard input"):
            read_rgb("-")


def test_targa_goes_by_its_name_alone(tmp_path: Path) -> None:
    Image.new("RGB", (4, 3), "red").save(tmp_path / "a.tga")
    assert read_rgb(tmp_path / "a.tga")[0, 0].tolist() == [255, 0, 0]
    (tmp_path / "a.tga").rename(tmp_path / "a.png")  # nearly any bytes could be one
    with pytest.raises(ValueError, match="none of PNG, JPEG"):
        read_rgb(tmp_path / "a.png")


# ---------------------------------------------------------------- folders


def test_find_pictures(tmp_path: Path) -> None:
    wanted = ["B.PNG", "a.jpg", "c.WebP", "deep/er/x.jpeg", "deep/y.TIFF", "z.bmp"]
    wanted += ["d.jfif", "e.jpe", "f.apng", "g.ppm", "h.tga"]
    others = [".hidden.png", "._a.jpg", ".git/x.png", "deep/.cache/y.png", "notes.txt", "png"]
    for name in wanted + others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()  # a folder, whatever it is called
    found = find_pictures(tmp_path)
    assert found == sorted(tmp_path / name for name in wanted)
    assert find_pictures(str(tmp_path)) == found


def test_find_pictures_of_a_hidden_root(tmp_path: Path) -> None:
    root = tmp_path / ".cache"
    root.mkdir()
    (root / "a.png").touch()
    assert find_pictures(root) == [root / "a.png"]


def test_every_suffix_is_one_that_pillow_writes_and_this_reads(tmp_path: Path) -> None:
    for suffix in set(SUFFIXES) - {".pfm"}:  # floats, which colours are not
        mode = "1" if suffix == ".pbm" else "RGB"
        path = tmp_path / f"a{suffix}"
        Image.new(mode, (8, 6)).save(path)
        assert picture_size(path) == (8, 6)


def test_what_is_left_out_is_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (4, 3)).save(tmp_path / "in" / "a.png")
    picture = (tmp_path / "in" / "a.png").read_bytes()
    for name in ("b.psd", "c.PSD", "d.heic", "e.txt", "a.png.txt", ".h.psd", "README"):
        (tmp_path / "in" / name).write_text("words")
    for name in ("download", "f.jpg_large"):
        (tmp_path / "in" / name).write_bytes(picture)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in" / "more").symlink_to(tmp_path / "elsewhere")
    found = look_through(tmp_path / "in")
    assert found.pictures == [tmp_path / "in" / "a.png"]
    assert {path.name: kind for path, kind in found.others.items()} == {
        "b.psd": ".psd",
        "c.PSD": ".psd",
        "d.heic": ".heic",
        "download": "file without a suffix",
        "f.jpg_large": ".jpg_large",
        "more": "link to a folder",
    }
    assert left_out_text(found.others) == (
        "left out, not among the formats that are read: 2 .psd, 1 .heic, 1 file without a suffix, "
        f"1 .jpg_large, 1 link to a folder (first: {tmp_path / 'in' / 'b.psd'})"
    )
    assert got_text(found.others).startswith(", got 2 .psd, 1 .heic, ")
    assert got_text({}) == "."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert look_through(tmp_path).others == {tmp_path / "closed": "folder that cannot be opened"}
