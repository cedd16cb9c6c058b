import cv2
import numpy as np
import pytest
import torch
from tiny_words import TINY, make_region_network, told

from sketch2paint.images.convert import to_float
from sketch2paint.models.description import describe_regions
from sketch2paint.models.loading import load
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.weights import load_generator, load_region_network, save_generator


@pytest.fixture
def sketch():
    drawing = np.full((32, 32), 255, np.uint8)
    cv2.rectangle(drawing, (3, 3), (14, 28), 0, 1)
    cv2.rectangle(drawing, (18, 8), (29, 20), 0, 1)
    return drawing


def planes(sketch):
    return to_float(torch.from_numpy(sketch))[None, None]


def test_shares_are_shares_and_nothing_is_copied_where_nothing_is_known(sketch):
    network, about = make_region_network(), told(sketch)
    with torch.inference_mode():
        shares, same = network(planes(sketch), **about)
    count = about["about"].shape[1]
    assert count >= 3 and shares.shape == (1, count, 6 + count)
    torch.testing.assert_close(shares.sum(2), torch.ones(1, count))
    assert (shares[..., 6:] == 0).all()
    torch.testing.assert_close(same, same.transpose(1, 2))


def test_known_words_alone_are_copied_from(sketch):
    network, about = make_region_network(), told(sketch)
    about["known"][0, 1] = True
    with torch.inference_mode():
        shares, _ = network(planes(sketch), **about)
        told_nothing, _ = network(planes(sketch), **{**about, "known": ~about["known"] & False})
    copied = shares[0, :, 6:]
    assert (copied[:, 1] > 0).all() and (copied[:, [0, 2]] == 0).all()
    torch.testing.assert_close(shares.sum(2), torch.ones(shares.shape[:2]))
    assert (shares[..., :6] - told_nothing[..., :6]).abs().max() > 1e-3


def test_the_mean_and_the_most_of_a_region(sketch):
    network, about = make_region_network(), told(sketch)
    with torch.inference_mode():
        features = network.unet(planes(sketch))[0]
        read = network.read(planes(sketch), about["labels"], about["about"].shape[1])[0]
    for word in range(len(read)):
        here = features[:, about["labels"][0] == word]
        torch.testing.assert_close(read[word, :4], here.mean(1))
        torch.testing.assert_close(read[word, 4:], here.amax(1))


def test_what_fills_up_a_batch_changes_nothing(sketch):
    network, about = make_region_network(), told(sketch)
    about["known"][0, 1] = True
    pad = torch.nn.functional.pad
    wide = {
        "labels": about["labels"],
        "about": pad(about["about"], (0, 0, 0, 5)),
        "pairs": pad(about["pairs"], (0, 0, 0, 5, 0, 5)),
        "known": pad(about["known"], (0, 5)),
        "given": pad(about["given"], (0, 0, 0, 5)),
    }
    with torch.inference_mode():
        alone, padded = network(planes(sketch), **about), network(planes(sketch), **wide)
    count = about["about"].shape[1]
    torch.testing.assert_close(padded.shares[:, :count, : 6 + count], alone.shares)
    torch.testing.assert_close(padded.same[:, :count, :count], alone.same)


def test_the_default_has_about_three_million_parameters():
    with torch.device("meta"):
        count = sum(p.numel() for p in RegionNetwork().parameters())
    assert 2.5e6 < count < 3.5e6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 5}, "Expected `width` to be a multiple of `heads` .5., got 12. Pass 10."),
        ({"colours": 0}, "Expected `colours` to be at least 1, got 0."),
        ({"layers": 1.5}, "Expected `layers` to be a whole number, got 1.5."),
        ({"palettes": 1}, "Expected `palettes` to be true or false, got 1."),
        ({"dropout": 1}, r"Expected `dropout` to be in \[0, 1\), got 1."),
        ({"size": 30}, "Expected `size` to be a multiple of 8"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        RegionNetwork(**{**TINY, **changes})


def test_weight_file_keeps_the_colours(tmp_path, sketch):
    network, about = make_region_network(), told(sketch)
    path = tmp_path / "weights/regions.safetensors"
    save_generator(path, network.state_dict(), describe_regions(TINY))
    for place in (tmp_path, path):
        read, description = load_region_network(place)
        assert description["network"] == TINY and not read.training
        torch.testing.assert_close(read.colours, network.colours)
    with torch.inference_mode():
        ours, theirs = network(planes(sketch), **about), read(planes(sketch), **about)
    torch.testing.assert_close(theirs, ours)


def test_each_reader_says_what_the_other_one_reads(tmp_path, weight_path):
    path = tmp_path / "regions.safetensors"
    save_generator(path, make_region_network().state_dict(), describe_regions(TINY))
    for read in (load, load_generator):
        with pytest.raises(ValueError, match="expected weights of a generator, got those of a reg"):
            read(path)
    with pytest.raises(ValueError, match="region network, got those of a generator. Pass a run of"):
        load_region_network(weight_path)


def test_a_description_that_does_not_fit(tmp_path):
    path = tmp_path / "regions.safetensors"
    state = make_region_network().state_dict()
    for network, message in (
        ({**TINY, "colours": 7}, "disagree in 3 tensors: 'colours' is declared as float32 .7, 3."),
        ({**TINY, "size": "x"}, "`network` cannot be built: Expected `size`"),
        ({**TINY, "secret": 1}, "`network` declares 'secret', expected size, base_channels"),
    ):
        save_generator(path, state, describe_regions(network))
        with pytest.raises(ValueError, match=message):
            load_region_network(path)


def palettes(*entries: int, fill: int = 0) -> dict[str, torch.Tensor]:
    """Palettes of these numbers of entries, filled up."""
    torch.manual_seed(3)
    most = max(*entries, fill)
    there = torch.arange(most) < torch.tensor(entries)[:, None]
    portions = torch.where(there, torch.rand(len(entries), most), -1)
    return {"palette": torch.rand(len(entries), most, 3) * 2 - 1, "portions": portions}


def test_a_palette_is_pointed_at_and_changes_what_is_named(sketch):
    network, about = make_region_network(palettes=True), told(sketch)
    about["known"][0, 1] = True
    with torch.inference_mode():
        plain = network(planes(sketch), **about).shares
        shares = network(planes(sketch), **about, **palettes(3)).shares
        untold = {"palette": palettes(3)["palette"]}
        of_untold = network(planes(sketch), **about, **untold).shares
    count = about["about"].shape[1]
    assert shares.shape == (1, count, 6 + count + 3)
    torch.testing.assert_close(shares.sum(2), torch.ones(1, count))
    assert (shares[..., -3:] > 0).all() and (shares[..., 7] > 0).all()
    assert (shares[..., :6] - plain[..., :6]).abs().max() > 1e-3
    assert (shares - of_untold).abs().max() > 1e-5  # how much there is of each says something


def test_without_a_palette_it_answers_as_a_network_that_knows_none(sketch):
    network, about = make_region_network(palettes=True), told(sketch)
    other = make_region_network()
    own = other.state_dict()
    assert set(network.state_dict()) > set(own)
    other.load_state_dict({key: network.state_dict()[key] for key in own})
    with torch.inference_mode():
        expected = other(planes(sketch), **about)
        for none in ({}, {"palette": torch.zeros(1, 0, 3)}, palettes(0, fill=2)):
            shares, same = network(planes(sketch), **about, **none)
            torch.testing.assert_close(shares[..., : expected.shares.shape[2]], expected.shares)
            assert (shares[..., expected.shares.shape[2] :] == 0).all()
            torch.testing.assert_close(same, expected.same)
        with pytest.raises(
            ValueError, match="Expected no `palette` for a network that was trained"
        ):
            other(planes(sketch), **about, **palettes(2))


def test_what_fills_up_a_palette_changes_nothing(sketch):
    network, about = make_region_network(palettes=True), told(sketch)
    both = {name: tensor.repeat_interleave(2, 0) for name, tensor in about.items()}
    wide = palettes(5, 2)
    alone = {name: tensor[1:, :2] for name, tensor in wide.items()}
    with torch.inference_mode():
        got = network(planes(sketch).repeat(2, 1, 1, 1), **both, **wide).shares[1]
        expected = network(planes(sketch), **about, **alone).shares[0]
    torch.testing.assert_close(got[:, : expected.shape[1]], expected)
    assert (got[:, expected.shape[1] :] == 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_hides_what_is_absent(sketch, dtype):
    network, about = make_region_network(palettes=True), told(sketch)
    about = {name: torch.cat([tensor] * 2) for name, tensor in about.items()}
    with torch.inference_mode(), torch.autocast("cpu", dtype):
        shares, same = network(planes(sketch).repeat(2, 1, 1, 1), **about, **palettes(3, 1))
    assert shares.dtype == same.dtype == torch.float32 and same.isfinite().all()
    torch.testing.assert_close(shares.sum(2), torch.ones(shares.shape[:2]), atol=1e-2, rtol=0)
    assert (shares[1, :, -2:] == 0).all()
