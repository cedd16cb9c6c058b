"""What all modules share; how it works is tested with each of them."""

import pytest
import pytorch_lightning as pl

from sketch2paint.training.learner import Learner, as_learner
from sketch2paint.training.pix2pix import Pix2Pix


def tiny(**changes):
    small = {"base_channels": 2}
    return Pix2Pix(size=32, generator=small, discriminator=small, **changes)


def test_the_network_that_colours_is_the_average_where_there_is_one():
    module = tiny()
    assert module.colouring() is module.ema is not module.generator
    module = tiny(ema_kimg=0)
    assert module.colouring() is module.generator and module.averaged() is None


def test_what_lacks_a_part_cannot_be_made():
    class Incomplete(Learner):
        """It says neither what it trains nor how its weights are described and read."""

    with pytest.raises(TypeError, match="abstract.*about.*check_data.*networks.*read_weights"):
        Incomplete(lr=1e-3, betas=(0.9, 0.99), lr_decay=0.0, ema_kimg=0.0, seed=0)


def test_callbacks_are_given_a_learner():
    module = tiny()
    assert as_learner(module) is module and isinstance(module, Learner)
    with pytest.raises(AssertionError):
        as_learner(pl.LightningModule())
