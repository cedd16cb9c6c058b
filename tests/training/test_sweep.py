import csv
import json

import numpy as np
from PIL import Image

from sketch2paint.training.sweep import summarise


def job(folder, number, psnrs, status="done", **overrides):
    path = folder / str(number)
    (path / "samples").mkdir(parents=True)
    note = {"overrides": overrides, "status": status, "error": "boom" if status == "failed" else ""}
    (path / "job.json").write_text(json.dumps(note))
    if psnrs:
        lines = ["epoch,val/psnr,val/ssim,loss_G_L1", "1,,,9.5"]
        lines += [f"{i},{psnr},0.5," for i, psnr in enumerate(psnrs)]
        (path / "metrics.csv").write_text("\n".join(lines) + "\n")
        Image.fromarray(np.full((20, 12, 3), 40 * number, np.uint8)).save(
            path / "samples/epoch_0001.png"
        )


def test_table_is_sorted_and_keeps_failed_jobs(tmp_path):
    job(tmp_path, 0, [10.0, 11.0], lr="1e-4", size="64")
    job(tmp_path, 1, [13.0, 12.5], lr="2e-4", size="64")
    job(tmp_path, 2, None, status="failed", lr="9", size="64")
    summarise(tmp_path)
    with open(tmp_path / "summary.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["lr"] for row in rows] == ["2e-4", "1e-4", "9"]
    assert [row["val/psnr"] for row in rows] == ["12.5", "11.0", ""]
    assert rows[0]["best val/psnr"] == "13.0"
    assert rows[0]["loss_G_L1"] == "9.5"
    assert (rows[2]["status"], rows[2]["error"]) == ("failed", "boom")
    text = (tmp_path / "summary.txt").read_text().splitlines()
    assert text[0].split()[:3] == ["job", "lr", "status"]  # what is the same is left out
    assert len(text) == 4
    with Image.open(tmp_path / "summary.png") as picture:
        assert picture.size[0] > picture.size[1] / 2


def test_no_pictures_no_sheet(tmp_path):
    job(tmp_path, 0, None, status="failed", lr="1")
    assert len(summarise(tmp_path)) == 1
    assert not (tmp_path / "summary.png").exists()
