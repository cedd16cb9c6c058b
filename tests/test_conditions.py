"""A further condition, from the data to the picture: planes of hints, and a style code."""

from pathlib import Path

import numpy as np
import pytest
import tiny_run
import torch
from torch import Tensor

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.images.io import read_rgb
from sketch2paint.inference.painter import Painter
from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.description import planes_of, style_of
from sketch2paint.models.export import export_generator
from sketch2paint.models.tasks import SKETCH, Plane
from sketch2paint.models.weights import load_generator
from sketch2paint.training.pix2pix import Pix2Pix

HINTS = Plane("hints", 4, 0.0)
STYLE = ("red", "green", "blue")


class HintedPairs(SketchDataModule):
    """Pairs whose true colours are told by planes and by a code: what a data module has to add."""

    def __init__(self, **keys) -> None:
        super().__init__(**keys)
        self.planes, self.style = (*self.planes, HINTS), STYLE

    def on_after_batch_transfer(
        self, batch: dict[str, Tensor], dataloader_idx: int
    ) -> dict[str, Tensor]:
        given = super().on_after_batch_transfer(batch, dataloader_idx)
        mask = torch.ones_like(given["sketch"])
        hints = torch.cat([given["real"], mask], dim=1)
        return {**given, "hints": hints, "style": given["real"].mean(dim=(2, 3))}


def model(**changes) -> Pix2Pix:
    torch.manual_seed(0)
    arguments = {
        "size": 32,
        "planes": (*SKETCH.planes, HINTS),
        "style": STYLE,
        "generator": {"base_channels": 2, "dropout": 0.0},
        "discriminator": {"base_channels": 2},
        "lr": 1e-2,
        **changes,
    }
    return Pix2Pix(**arguments)


@pytest.fixture
def hinted_run(pairs_dir: Path, tmp_path: Path, monkeypatch) -> tuple[Path, Pix2Pix]:
    monkeypatch.setattr(tiny_run, "SketchDataModule", HintedPairs)
    _, module = tiny_run.run(pairs_dir, tmp_path / "run", model=model())
    return tmp_path / "run", module


def test_hints_and_style_reach_the_weight_file_and_the_picture(hinted_run, pairs_dir, tmp_path):
    run, module = hinted_run
    assert (run / "samples/epoch_0002.png").exists()  # of the sketch, not of all planes
    generator, about = load_generator(run)
    assert planes_of(about) == (*SKETCH.planes, HINTS)
    assert (generator.in_channels, generator.style_channels) == (5, 3)
    assert style_of(about) == STYLE
    assert read_checkpoint(run / "checkpoints/last.ckpt")["about"]["planes"] == about["planes"]
    painter = Painter.load(run, device="cpu", lines="network", normalise="off")
    drawing = read_rgb(pairs_dir / "val/000.png")[:, 32:]
    assert painter.paint(drawing).shape == drawing.shape  # nobody gave hints: they are empty
    batch = {"sketch": torch.ones(1, 1, 32, 32)}
    with torch.inference_mode():
        empty, none = torch.zeros(1, 4, 32, 32), torch.zeros(1, 3)
        plain = painter.generate(batch)
        torch.testing.assert_close(painter.generate({**batch, "hints": empty}), plain)
        torch.testing.assert_close(painter.generate({**batch, "style": none}), plain)
        for given in ({"hints": empty + 1}, {"style": none + 9}):
            assert (painter.generate({**batch, **given}) - plain).abs().max() > 1e-3
    found = export_generator(
        run, format="onnx", output=tmp_path / "a.onnx", drawings=[np.asarray(drawing)]
    )
    assert found.levels < 0.1
    painted = Painter.load(tmp_path / "a.onnx", device="cpu", lines="network", normalise="off")
    assert np.abs(painted.paint(drawing).astype(int) - painter.paint(drawing)).max() <= 1


def test_a_resumed_run_keeps_its_planes(hinted_run):
    run, module = hinted_run
    saved = read_checkpoint(run / "checkpoints/last.ckpt")
    other = model(planes=None, style=())
    with pytest.raises(ValueError, match=r"planes \[\['sketch', 1, 1.0\]\] \(was .*'hints', 4"):
        other.on_load_checkpoint(saved)
    again = model()
    again.on_load_checkpoint(saved)
    assert again.pairs_seen == module.pairs_seen


def test_a_model_whose_planes_the_data_do_not_serve_stops_at_the_start(pairs_dir, tmp_path):
    with pytest.raises(
        ValueError, match=r"serve the plane `hints` of 4 .*, got sketch of 1\. Pass"
    ):
        tiny_run.run(pairs_dir, tmp_path / "a", model=model())
    only_style = model(planes=None)
    with pytest.raises(ValueError, match=r"serve the style red, green, blue, got none\. Pass"):
        tiny_run.run(pairs_dir, tmp_path / "b", model=only_style)


@pytest.mark.parametrize(
    ("names", "channels"), [([], 3), (["sketch"], 4), (["sketch", "hints"], 8), (["hints"], 7)]
)
def test_what_the_discriminator_sees_is_a_choice_of_its_own(names, channels):
    module = model(discriminator_planes=names)
    assert module.discriminator.features[0].in_channels == channels
    seen = []
    module.discriminator.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    batch = {
        "sketch": torch.full((2, 1, 32, 32), 0.1),
        "hints": torch.full((2, 4, 32, 32), 0.2),
        "style": torch.zeros(2, 3),
        "real": torch.zeros(2, 3, 32, 32),
        "names": torch.arange(2),  # whoever does not know a key passes it on
    }
    module.gan_step(batch, tuple(module.configure_optimizers()))
    expected = {0.1} if names == ["sketch"] else {0.2} if names == ["hints"] else {0.1, 0.2}
    for condition in seen:
        assert condition.shape == (2, channels - 3, 32, 32)
        values = {round(value, 3) for value in condition.unique().tolist()}
        assert values == (expected if names else set())
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discriminator_planes": ["depth"]}, "to be names out of sketch, hints, .* got 'depth'"),
        ({"generator": {"in_channels": 5}}, r"Expected no `model\.generator\.in_channels`: the t"),
        ({"generator": {"style_channels": 3}}, r"Expected no `model\.generator\.style_channels`"),
        ({"discriminator": {"norm": "none"}}, r"Expected no `model\.discriminator\.norm`"),
        ({"planes": [["hints", 4, 0.0]]}, "`planes`: expected `sketch` of 1 channel as the first"),
    ],
)
def test_what_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        model(**changes)


def test_a_style_begins_as_nothing_and_is_learned():
    module = model()
    planes, style = torch.rand(2, 5, 32, 32), torch.randn(2, 3)
    with torch.no_grad():
        torch.testing.assert_close(module.generator(planes, style), module.generator(planes))
    module.generator(planes, style).square().mean().backward()
    weights = [b.style.weight for b in module.generator.up.values()]
    assert len(weights) == 4 and all(w.grad.abs().max() > 0 for w in weights)
    with pytest.raises(ValueError, match=r"Expected `style` to be \(B, 3\), got \(2, 4\)"):
        module.generator(planes, torch.zeros(2, 4))
    with pytest.raises(ValueError, match="Expected no `style`: this generator takes none"):
        model(style=()).generator(planes, style)
