import pytest
from PIL import Image
from pytorch_lightning import Callback
from tiny_run import rows, run, scalars

from sketch2paint.training.losslog import LossLog, plot_losses
from sketch2paint.training.pix2pix import LOSSES, Pix2Pix


def test_csv_has_means_on_the_axis_of_pairs(pairs_dir, tmp_path):
    seen = []

    class Record(Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            seen.append((pl_module.pairs_seen, outputs["loss_G_L1"].item()))

    run(pairs_dir, tmp_path, extra=[Record()], epochs=2)
    lines = [row for row in rows(tmp_path) if row["loss_G_L1"]]
    assert [int(row["pairs"]) for row in lines] == [6, 11, 16]  # batches of 3, 3 and 2
    means = [(a + b) / 2 for (_, a), (_, b) in zip(seen[::2], seen[1::2], strict=True)]
    assert [float(row["loss_G_L1"]) for row in lines] == pytest.approx(means, abs=1e-4)
    validations = [row for row in rows(tmp_path) if row["val/psnr"]]
    assert [int(row["pairs"]) for row in validations] == [8, 16]


def test_epochs_shorter_than_a_line_have_one_each(pairs_dir, tmp_path):
    run(pairs_dir, tmp_path, epochs=2, every=50)
    assert [(row["pairs"], row["loss_G"] != "") for row in rows(tmp_path)] == [
        ("8", True),
        ("8", False),  # validation
        ("16", True),
        ("16", False),
    ]


def test_tensorboard_has_every_step_on_the_axis_of_pairs(pairs_dir, tmp_path):
    run(pairs_dir, tmp_path, epochs=2)
    events = scalars(tmp_path)
    for name in (*LOSSES, "lr"):
        assert [e.step for e in events.Scalars(name)] == [3, 6, 8, 11, 14, 16], name
    assert [e.step for e in events.Scalars("val/psnr")] == [8, 16]
    assert {"samples", "training_pairs"} <= set(events.Tags()["images"])


def test_cut_csv_drops_what_comes_again(pairs_dir, tmp_path):
    run(pairs_dir, tmp_path, epochs=2)
    log = LossLog(str(tmp_path), 2)
    log.losses, log.metrics = Pix2Pix.losses, Pix2Pix.metrics
    with open(tmp_path / "metrics.csv", "a") as file:
        file.write("3,2,22,0.0002,0.5")  # cut off by a kill
    log._cut_csv(8)
    assert [int(row["pairs"]) for row in rows(tmp_path)] == [6, 8]


def test_plot_of_an_empty_table(tmp_path):
    (tmp_path / "metrics.csv").write_text("epoch,iteration,pairs,lr," + ",".join(LOSSES) + "\n")
    plot_losses(tmp_path / "metrics.csv", tmp_path / "losses.png")
    with Image.open(tmp_path / "losses.png") as picture:
        assert picture.size[0] > 1000


def test_plot_has_a_panel_for_a_term_with_a_weight(tmp_path):
    widths = []
    for psnr in (0, -9):
        row = "1,9,36,0.0002," + "1," * (len(LOSSES) - 2) + f"{psnr},1,20,0.9\n"
        header = "epoch,iteration,pairs,lr," + ",".join(LOSSES) + ",val/psnr,val/ssim\n"
        (tmp_path / "metrics.csv").write_text(header + row)
        plot_losses(tmp_path / "metrics.csv", tmp_path / "losses.png")
        with Image.open(tmp_path / "losses.png") as picture:
            widths.append(picture.size[0])
    assert widths[1] == widths[0] * 6 / 5


def test_lines_of_an_older_version_are_begun_anew(tmp_path):
    log = LossLog(str(tmp_path), 2)
    log.load_state_dict({"window": [[1.0] * (len(LOSSES) - 1)]})
    assert log.window == []


def test_arguments():
    with pytest.raises(ValueError, match="Expected `log_every_n_steps` to be at least 1, got 0"):
        LossLog("x", 0)
