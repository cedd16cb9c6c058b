import math

import pytest
import torch
from torch import nn

from sketch2paint.models.networks import (
    Down,
    InstanceNorm,
    PatchDiscriminator,
    UNetGenerator,
    Up,
    channels_last,
)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_paper_sizes():
    generator = UNetGenerator(size=256, in_channels=3, norm="batch")
    discriminator = PatchDiscriminator(in_channels=6, norm="batch")
    assert parameters(generator) / 1e6 == pytest.approx(54.41, abs=0.01)
    assert parameters(discriminator) / 1e6 == pytest.approx(2.77, abs=0.01)


def test_names_read_as_the_architecture():
    generator = UNetGenerator(size=256, base_channels=1)
    assert list(generator.down) == [f"{s}x{s}" for s in (128, 64, 32, 16, 8, 4, 2, 1)]
    assert list(generator.up) == [f"{s}x{s}" for s in (2, 4, 8, 16, 32, 64, 128)]
    widths = [block.conv.out_channels for block in generator.down.values()]
    assert widths == [1, 2, 4, 8, 8, 8, 8, 8]


def test_skips_join_encoder_and_decoder():
    generator = UNetGenerator(size=256, base_channels=64)
    into = [block.conv.in_channels for block in generator.up.values()]
    assert into == [512, 1024, 1024, 1024, 1024, 512, 256]  # paper 6.1.1, doubled by the skips


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_any_multiple_keeps_its_size(norm, upsampling):
    generator = UNetGenerator(size=16, base_channels=2, norm=norm, upsampling=upsampling)
    for shape in ((16, 16), (32, 16), (48, 64)):
        out = generator(torch.zeros(2, 1, *shape))
        assert out.shape == (2, 3, *shape)
        assert out.abs().max() <= 1


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_trains_at_batch_one(norm):
    generator = UNetGenerator(size=16, base_channels=2, norm=norm).train()
    generator(torch.randn(1, 1, 16, 16)).mean().backward()
    assert all(p.grad is not None for p in generator.parameters())


def test_levels_follow_the_size():
    assert [UNetGenerator(s, base_channels=1).multiple for s in (64, 128, 256)] == [64, 128, 256]
    assert UNetGenerator(96, base_channels=1, levels=5).multiple == 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 300}, "Expected `size` to be a multiple of 256 .* got 300. Pass 256"),
        ({"size": 16, "levels": 1}, "Expected `levels` to be at least 2"),
        ({"size": 2}, "Expected `levels` to be at least 2"),
        ({"norm": "layer"}, "Expected `norm` to be one of batch, instance, none, got 'layer'"),
        ({"upsampling": "x"}, "Expected `upsampling` to be one of transposed, resize"),
        ({"dropout": 1.0}, r"Expected `dropout` to be in \[0, 1\), got 1.0"),
        ({"base_channels": 0}, "Expected `base_channels` to be at least 1, got 0"),
        ({"base_channels": 10**9}, "Expected `base_channels` to be at most 65536, got 1000000000"),
        ({"base_channels": 4.0}, "Expected `base_channels` to be a whole number, got 4.0"),
        ({"in_channels": True}, "Expected `in_channels` to be a whole number, got True"),
        ({"out_channels": [3]}, r"Expected `out_channels` to be a whole number, got \[3\]"),
        ({"size": 2**40}, "Expected `size` to be at most 65536, got 1099511627776"),
        ({"size": "256"}, "Expected `size` to be a whole number, got '256'"),
        ({"size": float("nan")}, "Expected `size` to be a whole number, got nan"),
        ({"size": -(2**40)}, "Expected `size` to be at least 1"),
        ({"levels": 10**6}, "Expected `levels` to be at most 16 .* got 1000000"),
        ({"levels": "8"}, "Expected `levels` to be a whole number, got '8'"),
        ({"norm": ["batch"]}, r"Expected `norm` to be one of .* got \['batch'\]"),
        ({"upsampling": None}, "Expected `upsampling` to be one of .* got None"),
        ({"dropout": float("nan")}, r"Expected `dropout` to be in \[0, 1\), got nan"),
        ({"dropout": "0.5"}, r"Expected `dropout` to be in \[0, 1\), got '0.5'"),
        ({"dropout": True}, r"Expected `dropout` to be in \[0, 1\), got True"),
    ],
)
def test_generator_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNetGenerator(**arguments)


def test_generator_refuses_sizes_it_cannot_halve():
    with pytest.raises(ValueError, match="multiples of 16, got 20x16. Pad the sketch"):
        UNetGenerator(size=16, base_channels=1)(torch.zeros(1, 1, 20, 16))


def test_dropout_in_the_three_deepest_blocks_and_in_training_only():
    generator = UNetGenerator(size=32, base_channels=2, dropout=0.5)
    rates = [block.dropout.p for block in generator.up.values()]
    assert rates == [0.5, 0.5, 0.5, 0.0]
    x = torch.randn(1, 1, 32, 32)
    assert not torch.equal(generator.train()(x), generator(x))
    assert torch.equal(generator.eval()(x), generator(x))


def test_seventy_pixels_decide_a_logit():
    discriminator = PatchDiscriminator(in_channels=4, base_channels=2, norm="none")
    picture = torch.randn(1, 3, 256, 256, requires_grad=True)
    logits = discriminator(torch.randn(1, 1, 256, 256), picture)
    assert logits.shape == (1, 1, 30, 30)
    logits[0, 0, 15, 15].backward()
    seen = picture.grad.abs().sum(dim=(0, 1))
    rows, columns = seen.sum(1).nonzero().flatten(), seen.sum(0).nonzero().flatten()
    assert len(rows) == len(columns) == 70
    assert rows[-1] - rows[0] == 69


def test_discriminator_sees_the_sketch():
    discriminator = PatchDiscriminator(base_channels=2)
    picture = torch.randn(1, 3, 32, 32)
    first = discriminator(torch.ones(1, 1, 32, 32), picture)
    assert not torch.equal(first, discriminator(torch.randn(1, 1, 32, 32), picture))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": 0}, "Expected `layers` to be at least 1, got 0"),
        ({"layers": 7}, "Expected `layers` to be at most 6, got 7"),
        ({"layers": 3.0}, "Expected `layers` to be a whole number, got 3.0"),
        ({"norm": ""}, "Expected `norm` to be one of"),
        ({"in_channels": 0}, "Expected `in_channels` to be at least 1, got 0"),
        ({"base_channels": 10**9}, "Expected `base_channels` to be at most 65536"),
    ],
)
def test_discriminator_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PatchDiscriminator(**arguments)


def test_initialisation():
    torch.manual_seed(0)
    generator = UNetGenerator(size=64, base_channels=16)
    weights = torch.cat([m.weight.flatten() for m in generator.modules() if hasattr(m, "stride")])
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)
    assert abs(weights.mean().item()) < 5 * 0.02 / math.sqrt(len(weights))
    gains = torch.cat([m.weight for m in generator.modules() if isinstance(m, nn.InstanceNorm2d)])
    assert gains.mean().item() == pytest.approx(1, abs=0.01)
    biases = [p for name, p in generator.named_parameters() if name.endswith("bias")]
    assert biases and all(bias.abs().max() == 0 for bias in biases)


@pytest.mark.parametrize("size", [(1, 3, 4, 6), (3, 8, 5, 5), (2, 1, 4, 4)])
def test_instance_norm_in_channels_last(size):
    torch.manual_seed(0)
    norm, plain = InstanceNorm(size[1], affine=True), nn.InstanceNorm2d(size[1], affine=True)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    plain.load_state_dict(norm.state_dict())
    x = torch.randn(size) * 3 + 2
    inputs = [channels_last(x).requires_grad_(), x.clone().requires_grad_()]
    results = [network(given) for network, given in zip((norm, plain), inputs, strict=True)]
    assert results[0].is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(*results)
    upstream = torch.randn(size)
    for result in results:
        result.backward(upstream)
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    torch.testing.assert_close(norm.weight.grad, plain.weight.grad)
    torch.testing.assert_close(norm.bias.grad, plain.bias.grad)


def test_one_channel_stays_channels_last_through_the_networks():
    x = channels_last(torch.randn(2, 1, 32, 32))
    assert x.stride() == (32 * 32, 1, 32, 1)
    generator = UNetGenerator(size=32, base_channels=4).to(memory_format=torch.channels_last)
    turned = []
    for module in generator.modules():
        if isinstance(module, (Down, Up)):
            module.register_forward_hook(lambda *args: turned.append(args[-1].stride(1)))
    generator(x)
    assert turned == [1] * 9


def test_laid_lines_are_those_of_the_sketch():
    torch.manual_seed(0)
    plain = UNetGenerator(size=16, base_channels=2, dropout=0.0)
    laid = UNetGenerator(size=16, base_channels=2, dropout=0.0, lay_lines=True)
    laid.load_state_dict(plain.state_dict())
    sketch = torch.rand(2, 1, 16, 16) * 2 - 1
    sketch[0, 0, 0] = -1.0
    sketch[1, 0, 0] = 1.0
    product = (plain(sketch) + 1) / 2 * (sketch + 1) / 2
    torch.testing.assert_close(laid(sketch), product * 2 - 1)
    assert (laid(sketch)[0, :, 0] == -1).all()
    torch.testing.assert_close(laid(sketch)[1, :, 0], plain(sketch)[1, :, 0])


def test_lines_are_laid_over_rgb_only():
    with pytest.raises(
        ValueError, match="`lay_lines` to be false unless the picture is RGB, got 2"
    ):
        UNetGenerator(size=16, out_channels=2, lay_lines=True)
    with pytest.raises(ValueError, match="Expected `lay_lines` to be true or false, got 'yes'"):
        UNetGenerator(size=16, lay_lines="yes")
