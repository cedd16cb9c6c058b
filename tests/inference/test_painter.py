from __future__ import annotations

import doctest
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_painter import draw_shapes, draw_sketch, in_rgb, make_generator
from torch import Tensor

from sketch2paint.hints.format import Hints, write_hints
from sketch2paint.hints.strokes import Stroke
from sketch2paint.images.convert import lab_to_rgb, resize, rgb_to_lab, to_float, to_hwc, to_uint8
from sketch2paint.images.layer import multiplied
from sketch2paint.inference.painter import ENLARGED, Painter
from sketch2paint.models.description import describe
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.weights import save_generator

SIZES = [(1, 1), (1, 300), (300, 1), (17, 301), (64, 64), (100, 40), (16, 16), (5, 7)]


class Echo(UNetGenerator):
    """Returns the sketch itself in three channels and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(size=16, base_channels=1, norm="none")
        self.seen: list[Tensor] = []

    def forward(self, sketch: Tensor) -> Tensor:
        self.seen.append(sketch)
        return sketch.expand(-1, 3, -1, -1)


def plain(generator: UNetGenerator) -> Painter:
    """What the network makes of the drawing, and nothing else."""
    return Painter(generator, lines="network", normalise="off")


@pytest.fixture
def painter(tiny_generator: UNetGenerator) -> Painter:
    return Painter(tiny_generator)


@pytest.fixture
def batch_norm_painter() -> Painter:
    """With dropout and batch norm, whose statistics have seen something, left in training mode."""
    generator = make_generator(norm="batch", dropout=0.5, strength=1).train()
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        for weights in generator.parameters():
            weights.mul_(5)
        for _ in range(5):
            generator(torch.rand(4, 1, 32, 32) * 2 - 1)
    return Painter(generator)


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_picture_has_the_size_of_the_sketch(painter: Painter, height: int, width: int) -> None:
    sketch = draw_sketch(height, width)
    for picture in painter.paint([sketch, in_rgb(sketch)]):
        assert picture.shape == (height, width, 3)
        assert picture.dtype == np.uint8


def test_fixture_paints_colours(painter: Painter) -> None:
    (picture,) = painter.paint([draw_sketch(64, 64)])
    assert picture.std(axis=(0, 1)).min() > 5  # or the comparisons below would compare nothing
    assert np.ptp(picture.astype(int), axis=2).max() > 10


def test_no_sketches_no_pictures(painter: Painter) -> None:
    assert painter.paint([]) == []


def test_grey_and_rgb_input_are_the_same(painter: Painter) -> None:
    sketch = draw_sketch(40, 60)
    grey, colour = painter.paint([sketch, in_rgb(sketch)])
    np.testing.assert_array_equal(grey, colour)


def test_mixed_sizes_keep_their_order(painter: Painter) -> None:
    sketches = [draw_sketch(*size, seed=n) for n, size in enumerate(SIZES + SIZES[::-1])]
    together = painter.paint(sketches)
    for sketch, picture in zip(sketches, together, strict=True):
        assert picture.shape[:2] == sketch.shape
        (alone,) = painter.paint([sketch])
        np.testing.assert_array_equal(picture, alone)


def test_sketches_are_left_alone(painter: Painter) -> None:
    sketch = draw_sketch(40, 60)
    painter.paint([sketch])
    np.testing.assert_array_equal(sketch, draw_sketch(40, 60))


def test_views_are_taken(painter: Painter) -> None:
    sketch = draw_sketch(40, 60)
    mirrored = painter.paint([sketch[:, ::-1], in_rgb(sketch)[:, ::-1]])
    expected = painter.paint([sketch[:, ::-1].copy()])[0]
    for picture in mirrored:
        np.testing.assert_array_equal(picture, expected)


# ---------------------------------------------------------------- what the network sees


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 23), (41, 16), (16, 64), (17, 16)])
def test_padding_is_white_and_cut_off_again(height: int, width: int) -> None:
    generator = Echo()
    sketch = np.random.default_rng(0).integers(0, 255, (height, width), dtype=np.uint8)
    (picture,) = plain(generator).paint([sketch])
    np.testing.assert_array_equal(picture, in_rgb(sketch))  # nothing to scale, so nothing is lost
    (seen,) = generator.seen
    assert seen.shape == (1, 1, -(-height // 16) * 16, -(-width // 16) * 16)
    top, left = -height % 16 // 2, -width % 16 // 2  # in the middle of the paper
    middle = to_uint8(seen[0, 0, top : top + height, left : left + width])
    np.testing.assert_array_equal(middle.numpy(), sketch)
    assert (seen == 1).sum() == seen.numel() - height * width  # noise is below 255


@pytest.mark.parametrize(
    ("sketch", "scaled"),
    [
        ((64, 64), (16, 16)),
        ((64, 96), (16, 32)),  # 16x24 and padding: the shorter side has the training size
        ((8, 8), (16, 16)),
        ((16, 64), (16, 64)),
        ((32, 128), (16, 64)),
        ((1, 1), (16, 16)),
    ],
)
def test_shorter_side_is_scaled_to_the_training_size(
    sketch: tuple[int, int], scaled: tuple[int, int]
) -> None:
    generator = Echo()
    plain(generator).paint([np.zeros(sketch, np.uint8)])
    assert {x.shape[-2:] for x in generator.seen} == {scaled}


@pytest.mark.parametrize(
    ("sketch", "scaled"),
    [
        ((8, 80), (16, 160)),  # as that of any other picture
        ((800, 20000), (16, 400)),
        ((20000, 800), (400, 16)),
        ((1, 3000), (16, 48000)),
        ((1, 16384), (4, ENLARGED)),  # not more for the sake of so little
        ((1, 70000), (1, 70000)),
    ],
)
def test_shorter_side_of_a_strip(
    painter: Painter, sketch: tuple[int, int], scaled: tuple[int, int]
) -> None:
    assert painter._scaled(np.zeros(sketch, np.uint8)).shape == scaled


def test_scaling_keeps_tones_and_places() -> None:
    sketch = np.full((64, 128), 255, np.uint8)
    sketch[:, :64] = 55
    (picture,) = plain(Echo()).paint([sketch])
    np.testing.assert_array_equal(picture[:, :56], np.full((64, 56, 3), 55))
    np.testing.assert_array_equal(picture[:, 72:], np.full((64, 56, 3), 255))


def test_thin_lines_reach_the_network_as_grey() -> None:
    generator = Echo()
    sketch = np.full((64, 64), 255, np.uint8)
    sketch[:, 13] = 0
    plain(generator).paint([sketch])
    line = generator.seen[0][0, 0, 8]
    assert line[3] == pytest.approx(255 * 3 / 4 / 127.5 - 1, abs=0.01)  # one pixel in four
    assert line.sum() - line[3] == 15


# ---------------------------------------------------------------- one inference mode


def test_picture_does_not_depend_on_its_batch(batch_norm_painter: Painter) -> None:
    sketches = [draw_sketch(48, 48, seed) for seed in range(6)]
    together = batch_norm_painter.paint(sketches)
    assert np.ptp(np.stack(together).astype(int), axis=0).max() > 10  # they differ
    for sketch, picture in zip(sketches, together, strict=True):
        (alone,) = batch_norm_painter.paint([sketch])
        np.testing.assert_array_equal(picture, alone)


def test_twice_is_the_same(batch_norm_painter: Painter) -> None:
    assert not batch_norm_painter.generator.training
    sketches = [draw_sketch(48, 48, seed) for seed in range(3)]
    for first, second in zip(*(batch_norm_painter.paint(sketches) for _ in "12"), strict=True):
        np.testing.assert_array_equal(first, second)


def test_painting_changes_no_weight_and_needs_no_gradient(batch_norm_painter: Painter) -> None:
    generator = batch_norm_painter.generator
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    batch_norm_painter.paint([draw_sketch(40, 60)])
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())
    assert all(weights.grad is None for weights in generator.parameters())


# ---------------------------------------------------------------- photographs


class Tint(UNetGenerator):
    """Returns a and b that grow from left to right up to `strong`, and remembers its input."""

    def __init__(self, strong: float = 0.05) -> None:
        super().__init__(size=16, base_channels=1, out_channels=2)
        self.strong, self.seen = strong, []  # type: ignore[var-annotated]

    def forward(self, sketch: Tensor) -> Tensor:
        self.seen.append(sketch)
        ramp = torch.linspace(-self.strong, self.strong, sketch.shape[-1])
        a = ramp.expand(len(sketch), 1, sketch.shape[-2], -1)
        return torch.cat([a, -a], dim=1)


def photograph(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Soft colours, neither near black nor near white, and fine noise over them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(70, 180, (4, 4, 3), dtype=np.uint8)
    picture = resize(coarse, height, width).astype(int) + rng.integers(-9, 10, (height, width, 1))
    return np.clip(picture, 40, 210).astype(np.uint8)


def lab(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 to L in 0..100 and a, b."""
    scaled = rgb_to_lab(to_float(torch.from_numpy(picture).permute(2, 0, 1)[None]))[0]
    return scaled.permute(1, 2, 0).numpy() * (50, 110, 110) + (50, 0, 0)


def levels_of_lightness(picture: np.ndarray) -> np.ndarray:
    """The grey of the same L, 0..255."""
    scaled = rgb_to_lab(to_float(torch.from_numpy(picture).permute(2, 0, 1)[None]))
    scaled[:, 1:] = 0
    return to_hwc(lab_to_rgb(scaled)[0]).astype(int)[..., 0]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_photograph_keeps_its_size_and_lightness(height: int, width: int) -> None:
    picture = photograph(height, width)
    (painted,) = Painter(Tint(), task="photo").paint([picture])
    assert painted.shape == (height, width, 3) and painted.dtype == np.uint8
    assert np.abs(levels_of_lightness(painted) - levels_of_lightness(picture)).max() <= 1


def test_photograph_has_the_colours_of_the_network() -> None:
    (painted,) = Painter(Tint(0.1), task="photo").paint([photograph(64, 64)])
    a, b = lab(painted)[..., 1], lab(painted)[..., 2]
    expected = 11 * np.linspace(-1, 1, 64)
    np.testing.assert_allclose(a.mean(axis=0), expected, atol=1.5)
    np.testing.assert_allclose(b.mean(axis=0), -expected, atol=1.5)


def test_detail_finer_than_the_network_sees_is_kept() -> None:
    picture = np.full((160, 160, 3), 60, np.uint8)
    picture[:, ::2] = 190  # gone after the reduction to 16
    generator = Tint(0.0)
    (painted,) = Painter(generator, task="photo").paint([picture])
    assert float(generator.seen[0].std()) < 0.01
    np.testing.assert_allclose(painted, picture, atol=1)


def test_network_sees_the_lightness_of_a_photograph() -> None:
    generator, picture = Tint(), photograph(16, 23)
    Painter(generator, task="photo").paint([picture])
    (seen,) = generator.seen
    assert seen.shape == (1, 1, 16, 32)
    expected = rgb_to_lab(to_float(torch.from_numpy(picture).permute(2, 0, 1)[None]))[0, 0]
    torch.testing.assert_close(seen[0, 0, :, 4:27], expected)
    for column, edge in ((0, 0), (3, 0), (27, 22), (31, 22)):  # it goes on beyond its edge
        torch.testing.assert_close(seen[0, 0, :, column], expected[:, edge])


@pytest.fixture
def photo_generator() -> UNetGenerator:
    return make_generator(out_channels=2, strength=20)


def test_grey_and_colour_photographs_are_painted_alike(photo_generator: UNetGenerator) -> None:
    colour = photograph(64, 80)
    grey = levels_of_lightness(colour).astype(np.uint8)
    painter = Painter(photo_generator, task="photo")
    first, second, third = (lab(p) for p in painter.paint([colour, in_rgb(grey), grey]))
    np.testing.assert_array_equal(second, third)  # (H, W) is the same as (H, W, 3)
    assert np.abs(first - second).mean() < 2  # a random network with strong weights: not the most
    assert np.abs(first - second).mean() < 0.2 * np.abs(first[..., 1:]).mean()
    assert np.abs(first[..., 1:]).mean() > 2 < np.abs(first - lab(colour)).mean()
    spy = Tint()
    Painter(spy, task="photo").paint([colour])
    Painter(spy, task="photo").paint([grey])
    torch.testing.assert_close(spy.seen[0], spy.seen[1], rtol=0, atol=0.02)  # 1 of L's 100


def test_photographs_of_mixed_sizes_keep_their_order(photo_generator: UNetGenerator) -> None:
    painter = Painter(photo_generator, task="photo")
    pictures = [photograph(*size, seed=n) for n, size in enumerate(SIZES)]
    for picture, together in zip(pictures, painter.paint(pictures), strict=True):
        (alone,) = painter.paint([picture])
        assert together.shape == picture.shape
        np.testing.assert_array_equal(together, alone)


def test_colours_out_of_gamut_are_clipped_without_a_warning() -> None:
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:, 16:32], picture[:, 32:] = 128, 255
    (painted,) = Painter(Tint(1.0), task="photo").paint([picture])
    assert painted.shape == picture.shape and painted.max() == 255 and painted.min() == 0


def test_task_comes_from_the_weight_file(photo_generator: UNetGenerator, tmp_path: Path) -> None:
    about = {"size": 16, "base_channels": 4, "out_channels": 2}
    path = tmp_path / "photo.safetensors"
    save_generator(path, photo_generator.state_dict(), describe(about, "photo"))
    painter, picture = Painter.load(path, device="cpu"), photograph(40, 60)
    assert painter.task.name == "photo"
    (painted,) = painter.paint([picture])
    (expected,) = Painter(photo_generator, task="photo").paint([picture])
    np.testing.assert_array_equal(painted, expected)


# ---------------------------------------------------------------- loading and errors


def test_loaded_painter_paints_the_same(weight_path: Path, painter: Painter) -> None:
    sketch = draw_sketch(40, 60)
    (expected,) = painter.paint([sketch])
    (picture,) = Painter.load(weight_path, device="cpu").paint([sketch])
    np.testing.assert_array_equal(picture, expected)


def test_auto_takes_a_gpu_if_there_is_one(weight_path: Path) -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert Painter.load(weight_path).device.type == expected
    assert Painter.load(weight_path).task.name == "sketch"


def test_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        Painter.load(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_unknown_device(weight_path: Path, device: str) -> None:
    with pytest.raises(ValueError, match=f"Expected `device` to be usable, got '{device}'"):
        Painter.load(weight_path, device=device)


@pytest.mark.parametrize(
    "sketch",
    [
        np.zeros((8, 8), np.float32),
        np.zeros((8, 8), np.uint16),
        np.zeros(8, np.uint8),
        np.zeros((8, 0), np.uint8),
        np.zeros((2, 8, 8, 3), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros((8, 8, 2), np.uint8),
        np.zeros((8, 8, 4), np.uint8),  # transparency is read_rgb's business
    ],
    ids=lambda sketch: f"{sketch.dtype}{sketch.shape}",
)
def test_wrong_input_is_described(painter: Painter, sketch: Any) -> None:
    with pytest.raises(ValueError, match=r"\(H, W\) or \(H, W, 3\), got") as info:
        painter.paint([draw_sketch(8, 8), sketch])
    assert f"{sketch.dtype} {sketch.shape}" in str(info.value)


# ---------------------------------------------------------------- one picture, many, PIL


def test_paint_docstring_runs(weight_path: Path) -> None:
    names = {"Painter": Painter, "np": np, "Image": Image, "weights": weight_path}
    test = doctest.DocTestFinder().find(Painter.paint, "paint", globs=names)[0]
    assert len(test.examples) == 5
    assert doctest.DocTestRunner().run(test).failed == 0


def test_one_in_one_out(painter: Painter) -> None:
    sketch = draw_sketch(40, 60)
    (expected,) = painter.paint([sketch])
    np.testing.assert_array_equal(painter.paint(sketch), expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_pil_in_pil_out(painter: Painter, mode: str) -> None:
    sketch = draw_sketch(40, 60)
    if mode == "I;16":
        source = Image.fromarray(sketch.astype(np.uint16) * 257)
    else:
        source = Image.fromarray(sketch).convert(mode)
    picture = painter.paint(source)
    assert isinstance(picture, Image.Image) and picture.mode == "RGB" and picture.size == (60, 40)
    np.testing.assert_array_equal(np.asarray(picture), painter.paint(sketch))


def test_transparent_paper_is_white(painter: Painter) -> None:
    sketch = draw_sketch(40, 60)
    ink = np.dstack([np.zeros((40, 60, 3), np.uint8), 255 - sketch])
    picture = painter.paint(Image.fromarray(ink))
    np.testing.assert_array_equal(np.asarray(picture), painter.paint(sketch))


# ---------------------------------------------------------------- the same pixels, the same picture


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize(("size", "count"), [(64, 64), (256, 3)])
def test_picture_is_bit_equal_in_any_company(upsampling: str, size: int, count: int) -> None:
    generator = make_generator(64, base_channels=16, upsampling=upsampling, strength=20)
    painter = Painter(generator, scale=1)
    sketches = [draw_sketch(size, size, seed) for seed in range(count)]
    together, again = painter.paint(sketches), painter.paint(sketches)
    backwards = painter.paint(sketches[::-1])[::-1]
    alone = [painter.paint(sketch) for sketch in sketches[:: max(1, count // 8)]]
    np.testing.assert_array_equal(together, again)
    np.testing.assert_array_equal(together, backwards)
    np.testing.assert_array_equal(together[:: max(1, count // 8)], alone)
    assert np.stack(together).std(axis=0).mean() > 3


def test_bf16_is_near_alone_and_in_company() -> None:
    generator = make_generator(64, base_channels=16, strength=20)
    sketches = [draw_sketch(64, 64, seed) for seed in range(8)]
    exact = Painter(generator, lines="network").paint(sketches)
    painter = Painter(generator, precision="bf16", lines="network")
    together, alone = painter.paint(sketches), [painter.paint(sketch) for sketch in sketches]
    np.testing.assert_array_equal(together, painter.paint(sketches))
    for others, mean, most in ((exact, 2, 32), (alone, 0.1, 8)):  # bf16 keeps 8 bits
        differences = np.abs(np.stack(together).astype(int) - np.stack(others))
        assert differences.mean() < mean and differences.max() <= most
    assert np.stack(exact).std(axis=0).mean() > 3
    assert not np.array_equal(together, exact)
    assert next(generator.parameters()).dtype == torch.float32  # the given one is left as it was


def test_auto_is_the_fastest_precision_here(
    tiny_generator: UNetGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Painter(tiny_generator).precision == "32-true"
    monkeypatch.setattr("sketch2paint.device.has_bf16", lambda: True)
    assert Painter(tiny_generator).precision == "bf16"


# ---------------------------------------------------------------- scale and tiles


@pytest.mark.parametrize(("scale", "seen"), [(1, (48, 80)), (0.5, (32, 48)), (2, (96, 160))])
def test_scale_is_a_factor(scale: float, seen: tuple[int, int]) -> None:
    generator = Echo()
    painter = Painter(generator, scale=scale, tile="off", lines="network")
    assert painter.paint(draw_sketch(48, 80)).shape == (48, 80, 3)
    assert generator.seen[0].shape[-2:] == seen


@pytest.mark.parametrize(
    ("tile", "sizes"),
    [("auto", {(48, 64)}), (64, {(48, 64)}), (16, {(16, 16)})],
)
def test_tiles_of_a_large_drawing(tile: Any, sizes: set[tuple[int, int]]) -> None:
    generator, sketch = Echo(), draw_sketch(48, 192)
    painter = Painter(generator, scale=1, tile=tile, lines="network", normalise="off")
    np.testing.assert_array_equal(painter.paint(sketch), in_rgb(sketch))
    assert {tuple(x.shape[-2:]) for x in generator.seen} == sizes
    generator.seen.clear()
    Painter(generator, scale=1, tile="off", normalise="off").paint(sketch)
    assert [x.shape[-2:] for x in generator.seen] == [(48, 192)]


@pytest.mark.parametrize(("tile", "step"), [(16, 4), (32, 20), (64, 48), (96, 72)])
def test_tiles_cost_what_they_are(tile: int, step: int) -> None:
    for width in (256, 512, 1024):
        generator = Echo()
        Painter(generator, scale=1, tile=tile, normalise="off").paint(draw_sketch(16, width))
        assert sum(len(x) for x in generator.seen) == -(-(width - tile) // step) + 1


@pytest.mark.parametrize("task", ["sketch", "photo"])
def test_tiles_and_the_whole_look_alike(task: str) -> None:
    channels = 2 if task == "photo" else 3
    generator = make_generator(levels=2, norm="batch", out_channels=channels, strength=1)
    picture = photograph(97, 130) if task == "photo" else draw_sketch(97, 130)
    tiled, one = (
        Painter(generator, task=task, scale=1, tile=t).paint(picture) for t in (32, "off")
    )
    assert np.abs(tiled.astype(int) - one).max() <= 2  # the tiles stand on the whole's grid
    assert one.std() > 10


def draw_page(down: int, across: int, *, empty: bool = False) -> np.ndarray:
    """A page of drawings, each 32 pixels wide; but for the first few it may be empty."""
    page = np.full((32 * down, 32 * across), 255, np.uint8)
    for number in range(down * across // (3 if empty else 1)):
        top, left = (32 * n for n in divmod(number, across))
        page[top : top + 32, left : left + 32] = draw_shapes(number, 32, thickness=1)[1]
    return page


def decibels(picture: np.ndarray, other: np.ndarray) -> float:
    return -10 * np.log10(np.square((picture.astype(float) - other) / 255).mean() + 1e-12)


@pytest.mark.parametrize(
    ("down", "across", "empty"),
    [(2, 2, False), (4, 4, True), (6, 6, False), (1, 20, True), (20, 1, False)],
)
@pytest.mark.parametrize(("norm", "strength"), [("batch", 400), ("instance", 10), ("none", 400)])
def test_tiles_are_near_the_whole(
    norm: str, strength: float, down: int, across: int, empty: bool
) -> None:
    generator = make_generator(32, levels=3, norm=norm, base_channels=8, strength=strength)
    page = draw_page(down, across, empty=empty)
    whole = Painter(generator, scale=1, tile="off", lines="network").paint(page)
    assert whole.std() > 40
    for tile, least in ((32, 21), (64, 25), (96, 30), (128, 35)):
        tiled = Painter(generator, scale=1, tile=tile, lines="network").paint(page)
        assert decibels(tiled, whole) > least


@pytest.mark.slow
@pytest.mark.parametrize("size", [(800, 20000), (20000, 800)])
def test_a_webtoon_is_painted_as_in_one_piece(size: tuple[int, int]) -> None:
    generator = make_generator(64, levels=4, strength=5)
    page = resize(draw_page(1, 25), 800, 20000)
    page = page if size == page.shape else page.T
    (strip,) = Painter(generator).process([page])
    assert strip.picture.shape == (*size, 3) and strip.notes == ()
    np.testing.assert_array_equal(strip.lines, page)
    assert decibels(strip.colours, Painter(generator, tile="off").process([page])[0].colours) > 32


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_strip() -> None:
    painter, most = Painter(make_generator(), scale=1, tile=1024), []
    for length in (100_000, 200_000):
        page = np.full((16, length), 255, np.uint8)
        page[8] = 0
        tracemalloc.start()
        try:
            painter.process([page])
            most.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    # Pictures in bytes, no floats: the fake, colours, the picture and what they are made of.
    assert most[1] - most[0] < 100_000 * 16 * 8


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_threads_change_nothing_in_tiles(norm: str) -> None:
    painter = Painter(make_generator(64, levels=4, norm=norm, base_channels=16), scale=1, tile=64)
    page, before, pictures = resize(draw_page(4, 4), 200, 200), torch.get_num_threads(), []
    try:
        for threads in (1, 4):
            torch.set_num_threads(threads)
            pictures.append(painter.paint(page))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*pictures)


LONG = [(1, 5000), (5000, 1), (2, 16384), (16384, 9)]


@pytest.mark.parametrize(
    "size",
    [(1, 1), (3, 7), (101, 33), (1, 900), *(pytest.param(x, marks=pytest.mark.slow) for x in LONG)],
)
@pytest.mark.parametrize("scale", ["auto", 1])
def test_declared_sizes(painter: Painter, size: tuple[int, int], scale: Any) -> None:
    painter = Painter(painter.generator, scale=scale)
    (painted,) = painter.process([draw_sketch(*size)])
    assert painted.picture.shape == painted.colours.shape == (*size, 3)
    assert painted.lines.shape == size


def test_too_large_is_said(painter: Painter) -> None:
    most = "at most 16384x16384 pixels in all and 1,000,000 a side"
    for size in ((1, 1_000_001), (16385, 16384)):
        with pytest.raises(ValueError, match=f"{most}, got {size[0]}x{size[1]}. Pass a smaller"):
            painter.paint(np.broadcast_to(np.uint8(255), size))
    with pytest.raises(ValueError, match=rf"input to be {most}, got 2x1000002 with scale=2\. Pass"):
        Painter(painter.generator, scale=2).paint(np.zeros((1, 500_001), np.uint8))
    with pytest.raises(ValueError, match=r"got 20000x20000 with scale=200\. Pass a smaller"):
        Painter(painter.generator, scale=200).paint(np.zeros((100, 100), np.uint8))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no"),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
@pytest.mark.parametrize(("tile", "side"), [("off", 160), (32, 32)])
def test_no_memory_is_said(error: Exception, tile: Any, side: int) -> None:
    class Hungry(Echo):
        def forward(self, sketch: Tensor) -> Tensor:
            raise error

    with pytest.raises(
        ValueError, match=rf"cpu to have memory for tiles of {side} .*smaller `tile`"
    ):
        Painter(Hungry(), scale=1, tile=tile).paint(draw_sketch(20, 160))


def test_other_errors_are_not_taken_for_memory() -> None:
    class Broken(Echo):
        def forward(self, sketch: Tensor) -> Tensor:
            raise RuntimeError("shapes")

    with pytest.raises(RuntimeError, match="^shapes$"):
        Painter(Broken()).paint(draw_sketch(20, 20))


# ---------------------------------------------------------------- layers and scans


def test_lines_are_the_drawings_own(painter: Painter) -> None:
    sketch = draw_sketch(64, 96)
    (kept,) = painter.process([sketch])
    np.testing.assert_array_equal(kept.lines, sketch)
    np.testing.assert_allclose(kept.picture, kept.colours * (sketch[..., None] / 255), atol=0.51)
    (made,) = Painter(painter.generator, lines="network").process([sketch])
    np.testing.assert_array_equal(made.picture, made.colours)
    assert (made.lines == 255).all() and made.picture[sketch == 0].max() > 0
    assert kept.notes == made.notes == ()


def test_scan_is_painted_as_the_clean_drawing(painter: Painter) -> None:
    page = np.full((64, 96), 255, np.uint8)
    page[10:50, 20], page[30, 5:90] = 0, 0
    (clean,), (turned,) = painter.process([page]), painter.process([255 - page])
    np.testing.assert_array_equal(turned.picture, clean.picture)
    assert turned.notes == ("inverted",)
    (scan,) = painter.process([in_rgb((page * 0.7 + 20).astype(np.uint8))])
    assert scan.notes == ("paper lightened",)
    assert np.abs(scan.picture.astype(int) - clean.picture).mean() < 8
    (left,) = Painter(painter.generator, normalise="off").process([255 - page])
    assert left.notes == () and (left.lines == 255 - page).all()


def test_photographs_have_no_lines_and_are_not_normalised() -> None:
    dark = photograph(40, 60) // 4
    (painted,) = Painter(Tint(), task="photo").process([dark])
    assert painted.notes == () and (painted.lines == 255).all()
    np.testing.assert_array_equal(painted.colours, painted.picture)
    assert np.abs(levels_of_lightness(painted.picture) - levels_of_lightness(dark)).max() <= 1


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("task", "sketches", "Expected `task` to be one of sketch, photo, got 'sketches'"),
        ("precision", "16", "Expected `precision` to be one of auto, 32-true, bf16, got '16'"),
        ("lines", True, "Expected `lines` to be one of keep, network, got True"),
        ("normalise", None, "Expected `normalise` to be one of auto, off, got None"),
        ("scale", 0, "Expected `scale` to be auto or a number above 0, got 0"),
        ("scale", -1.5, "got -1.5. Pass 1 for"),
        ("scale", float("nan"), "above 0, got nan"),
        ("scale", float("inf"), "above 0, got inf"),
        ("scale", "2", "above 0, got '2'"),
        ("scale", True, "above 0, got True"),
        ("tile", 0, "Expected `tile` to be auto, off or a multiple of 16 .*, got 0. Pass 64"),
        ("tile", 40, "got 40"),
        ("tile", -16, "got -16"),
        ("tile", 64.0, "got 64.0"),
        ("tile", "64", "got '64'"),
        ("device", "gpu", "Expected `device` to be usable, got 'gpu'"),
        ("device", 1.5, "Expected `device` to be usable, got 1.5"),
    ],
)
def test_wrong_parameter(weight_path: Path, name: str, value: Any, message: str) -> None:
    generator = Painter.load(weight_path, device="cpu").generator
    with pytest.raises(ValueError, match=message):
        Painter(generator, **{name: value})
    if name != "task":
        with pytest.raises(ValueError, match=message):
            Painter.load(weight_path, **{name: value})


def test_something_else_than_a_sketch(painter: Painter) -> None:
    with pytest.raises(ValueError, match="PIL picture or uint8 array, got str. "):
        painter.paint(["sketch.png"])  # type: ignore[type-var]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(threads: int) -> None:
    painter = Painter(make_generator(64, base_channels=16))
    sketches = [draw_sketch(64, 64, seed) for seed in range(5)]
    alone = [painter.paint(sketch) for sketch in sketches]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        together = painter.paint(sketches)
        np.testing.assert_array_equal(painter.paint(sketches[0]), alone[0])
        assert torch.get_num_threads() == threads  # those of the pool are its own
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(together, alone)


def told(sketch: np.ndarray, colour: tuple[int, int, int] | None) -> Hints:
    """A dot in the middle of a drawing."""
    height, width = sketch.shape
    return Hints((width, height), (Stroke(((width // 2, height // 2),), 3, colour),))


def test_hints_come_as_objects_files_and_overlays(painter: Painter, tmp_path: Path) -> None:
    sketch = np.full((40, 48), 255, np.uint8)
    hints = told(sketch, (10, 20, 230))
    write_hints(tmp_path / "a.json", hints)
    wanted = painter.paint(sketch, hints)
    assert tuple(np.median(wanted.reshape(-1, 3), axis=0)) == (10, 20, 230)
    for given in (tmp_path / "a.json", str(tmp_path / "a.json"), hints.overlay()):
        np.testing.assert_array_equal(painter.paint(sketch, given), wanted)


def test_a_list_of_sketches_has_a_list_of_hints_or_one_for_all(painter: Painter) -> None:
    sketches = [np.full((40, 48), 255, np.uint8), np.full((20, 24), 255, np.uint8)]
    hints = told(sketches[0], (10, 20, 230))
    one = painter.paint(sketches, [hints, None])
    np.testing.assert_array_equal(one[0], painter.paint(sketches[0], hints))
    np.testing.assert_array_equal(one[1], painter.paint(sketches[1]))
    both = painter.paint(sketches, hints)
    np.testing.assert_array_equal(both[1], painter.paint(sketches[1], hints.fitted((24, 20))))
    with pytest.raises(ValueError, match="Expected hints for each of 2 sketches, got 1"):
        painter.paint(sketches, [hints])


def test_flats_have_no_blended_colour(tiny_generator: UNetGenerator) -> None:
    painter = Painter(tiny_generator, flats=True)
    (painted,) = painter.process([draw_shapes(0)[1]])
    assert painted.flat
    assert len(np.unique(painted.colours.reshape(-1, 3), axis=0)) < 20
    np.testing.assert_array_equal(painted.picture, multiplied(painted.colours, painted.lines))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            np.zeros((4, 4, 3), np.uint8),
            r"Expected hints as Hints, a file, an overlay .*\(4, 4, 3\)",
        ),
        (7, "got <class 'int'>"),
    ],
)
def test_what_is_no_hints_is_described(painter: Painter, given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        painter.paint(np.full((8, 8), 255, np.uint8), given)


def test_photographs_take_neither_hints_nor_flats(photo_generator: UNetGenerator) -> None:
    photo = np.full((16, 16), 99, np.uint8)
    with pytest.raises(ValueError, match="Expected no hints for photographs"):
        Painter(photo_generator, task="photo").paint(photo, told(photo, (1, 2, 3)))
    with pytest.raises(ValueError, match="Expected no flats for photographs"):
        Painter(photo_generator, task="photo", flats=True)
