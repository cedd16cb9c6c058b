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


def test_callbacks_are_given_a_learner():
    module = tiny()
    assert as_learner(module) is module and isinstance(module, Learner)
    with pytest.raises(AssertionError):
        as_learner(pl.LightningModule())
