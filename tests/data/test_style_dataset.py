import numpy as np
import pytest
import torch

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.images.convert import to_uint8
from sketch2paint.images.look import NAMES, look_code


def module(root, **changes):
    keys = {"size": 32, "jitter": 4, "batch_size": 4, "num_workers": 0, "style": True}
    data = SketchDataModule(root=str(root), **{**keys, **changes})
    data.setup("fit")
    return data


def batches(data, split="train"):
    loader = data.train_dataloader() if split == "train" else data.val_dataloader()
    return [data.on_after_batch_transfer(batch, 0) for batch in loader]


@pytest.mark.parametrize("flats", [False, True])
def test_half_of_the_training_samples_tell_the_look_of_their_own_truth(pairs_dir, flats):
    data = module(pairs_dir, flats=flats, cache="off")
    assert data.style == NAMES
    dataset, told, count = data.datasets["train"], 0, 0
    for epoch in range(12):
        samples = [(epoch, index) for index in range(len(dataset))]
        batch = data.on_after_batch_transfer(dataset.__getitems__(samples), 0)
        assert batch["style"].shape == (len(dataset), len(NAMES))
        for code, real in zip(batch["style"], batch["real"], strict=True):
            count += 1
            if code.any():
                own = np.ascontiguousarray(to_uint8(real).permute(1, 2, 0).numpy())
                np.testing.assert_array_equal(code.numpy(), look_code(own))
                told += 1
    assert 0.3 < told / count < 0.7


def test_a_code_is_counted_from_seed_epoch_and_index_alone(pairs_dir):
    dataset = module(pairs_dir).datasets["train"]
    samples = [(epoch, index) for epoch in (0, 1) for index in range(len(dataset))]
    styles = dataset.__getitems__(samples)["style"]
    again = dataset.__getitems__(samples[::-1])["style"].flip(0)
    assert torch.equal(styles, again)
    first, second = styles.chunk(2)
    assert not torch.equal(first, second)
    other = module(pairs_dir, seed=1).datasets["train"].__getitems__(samples)["style"]
    assert not torch.equal(styles.any(1), other.any(1))


def test_what_else_is_in_a_sample_stays_as_it_is_without_codes(pairs_dir):
    with_style, without = batches(module(pairs_dir)), batches(module(pairs_dir, style=False))
    for one, other in zip(with_style, without, strict=True):
        assert "style" not in other
        assert torch.equal(one["real"], other["real"]) and torch.equal(
            one["sketch"], other["sketch"]
        )


def test_outside_training_nobody_tells_a_code(pairs_dir):
    assert all(not batch["style"].any() for batch in batches(module(pairs_dir), "val"))


def test_further_sets_have_codes_too(pairs_dir):
    data = module(pairs_dir, also=[{"root": str(pairs_dir)}])
    dataset = data.datasets["train"]
    last = [(epoch, len(dataset) - 1) for epoch in range(8)]
    assert dataset.__getitems__(last)["style"].any()
    assert len(dataset) == sum(data.sizes)


def test_photographs_have_none(pairs_dir):
    with pytest.raises(
        ValueError, match="`data.task` sketch with data.style=true, got photo: a st"
    ):
        SketchDataModule(source="pictures", task="photo", root=str(pairs_dir), style=True)
