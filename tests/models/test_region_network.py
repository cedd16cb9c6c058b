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
