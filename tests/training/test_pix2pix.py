import copy
import math
from itertools import cycle, islice

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch.utils.data import DataLoader

from sketch2paint.images.convert import lab_to_rgb, rgb_to_lab
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.training.losses import psnr_loss
from sketch2paint.training.pix2pix import LOSSES, Pix2Pix

LABEL = {"real": 1.0, "fake": 0.0}


def tiny(**changes):
    arguments = {
        "size": 32,
        "generator": {"base_channels": 2, "dropout": 0.0},
        "discriminator": {"base_channels": 2},
        **changes,
    }
    return Pix2Pix(**arguments)


def batches(count, size=32, pairs=2):
    generator = torch.Generator().manual_seed(1)
    return [
        {
            "sketch": torch.rand(pairs, 1, size, size, generator=generator) * 2 - 1,
            "real": torch.rand(pairs, 3, size, size, generator=generator) * 2 - 1,
        }
        for _ in range(count)
    ]


class Recorder(pl.Callback):
    def __init__(self):
        self.outputs, self.lrs, self.shown = [], [], []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.outputs.append({name: outputs[name].item() for name in LOSSES})
        self.lrs.append(pl_module.trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_epoch_end(self, trainer, pl_module):
        self.shown.append(set(trainer.progress_bar_metrics))


def fit(module, data, epochs=1, val=None, **arguments):
    recorder = Recorder()
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        limit_val_batches=1.0 if val else 0,
        callbacks=[recorder],
        **arguments,
    )
    loader = DataLoader(data, batch_size=None)
    trainer.fit(module, loader, DataLoader(val or data[:1], batch_size=None))
    return recorder, trainer


def plain_gan_loss(logits, label, mode, for_generator):
    if mode == "hinge":
        if for_generator:
            return -logits.mean()
        sign = 1 if label else -1
        return torch.clamp(1 - sign * logits, min=0).mean()
    target = torch.full_like(logits, label)
    if mode == "lsgan":
        return F.mse_loss(logits, target)
    return F.binary_cross_entropy_with_logits(logits, target)


@pytest.mark.parametrize("mode", ["vanilla", "lsgan", "hinge"])
def test_step_equals_plain_pytorch(mode):
    torch.manual_seed(0)
    module = tiny(gan_mode=mode, lambda_l1=30.0, lambda_psnr=2.0, lr=1e-3)
    generator = copy.deepcopy(module.generator)
    discriminator = copy.deepcopy(module.discriminator)
    data = batches(3)
    recorder, _ = fit(module, data)

    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    for batch, logged in zip(data, recorder.outputs, strict=True):
        sketch, real = batch["sketch"], batch["real"]
        d_fake = plain_gan_loss(
            discriminator(sketch, generator(sketch).detach()), 0.0, mode, for_generator=False
        )
        d_real = plain_gan_loss(discriminator(sketch, real), 1.0, mode, for_generator=False)
        optimizer_d.zero_grad()
        (0.5 * d_fake + 0.5 * d_real).backward()
        optimizer_d.step()
        fake = generator(sketch)
        g_gan = plain_gan_loss(discriminator(sketch, fake), 1.0, mode, for_generator=True)
        g_l1 = 30 * (fake - real).abs().mean()
        g_psnr = 2 * psnr_loss(fake, real)
        g_all = g_gan + g_l1 + g_psnr
        optimizer_g.zero_grad()
        g_all.backward()
        optimizer_g.step()
        expected = (d_fake, d_real, (d_fake + d_real) / 2, g_gan, g_l1, g_psnr, g_all)
        for name, value in zip(LOSSES, expected, strict=True):
            assert logged[name] == pytest.approx(value.item(), rel=1e-5), name
    assert_near(module, generator, discriminator)


def assert_near(module, generator, discriminator):
    """Adam divides by the root of squared gradients near 0: a hundredth of a step is allowed."""
    for ours, plain in ((module.generator, generator), (module.discriminator, discriminator)):
        torch.testing.assert_close(ours.state_dict(), plain.state_dict(), rtol=1e-4, atol=1e-5)


def test_simultaneous_step_equals_plain_pytorch():
    torch.manual_seed(0)
    module = tiny(update="simultaneous", lambda_l1=30.0, lr=1e-3)
    generator = copy.deepcopy(module.generator)
    discriminator = copy.deepcopy(module.discriminator)
    data = batches(3)
    fit(module, data)

    networks = (discriminator, generator)
    optimizers = [torch.optim.Adam(n.parameters(), lr=1e-3, betas=(0.5, 0.999)) for n in networks]
    for batch in data:
        sketch, real = batch["sketch"], batch["real"]
        fake = generator(sketch)
        logits, truth = discriminator(sketch, fake), discriminator(sketch, real)
        loss_d = (
            plain_gan_loss(logits, 0.0, "", False) + plain_gan_loss(truth, 1.0, "", False)
        ) / 2
        loss_g = plain_gan_loss(logits, 1.0, "", True) + 30 * (fake - real).abs().mean()
        for network, loss in zip(networks, (loss_d, loss_g), strict=True):
            parameters = list(network.parameters())
            for parameter, gradient in zip(
                parameters, torch.autograd.grad(loss, parameters, retain_graph=True), strict=True
            ):
                parameter.grad = gradient
        for optimizer in optimizers:
            optimizer.step()
    assert_near(module, generator, discriminator)


@pytest.mark.parametrize("accumulate", [2, 3, 8])
def test_parts_of_a_batch_have_its_gradients(accumulate):
    data = batches(3, pairs=4)
    runs = []
    for parts in (1, accumulate):
        torch.manual_seed(0)
        module = tiny(accumulate=parts, lambda_psnr=2.0, lr=1e-3)
        recorder, _ = fit(module, data)
        runs.append((module, recorder.outputs))
    (whole, losses), (cut, cut_losses) = runs
    assert_near(cut, whole.generator, whole.discriminator)
    torch.testing.assert_close(losses, cut_losses, rtol=1e-4, atol=1e-6)


def test_dropout_is_the_same_for_both_networks_of_a_part():
    module = tiny(accumulate=2, generator={"base_channels": 4, "levels": 3, "dropout": 0.5})
    made = []
    module.generator.register_forward_hook(lambda *args: made.append(args[-1].detach()))
    fit(module, batches(1))
    first, second, again, last = made
    assert torch.equal(first, again)  # weights have not changed yet
    assert torch.equal(second, last)
    assert not torch.equal(first, second)


def test_moments_of_a_checkpoint_lie_as_their_weights():
    module = tiny()
    optimizer = module.configure_optimizers()[1]
    conv = module.generator.out[0].weight
    assert conv.is_contiguous(memory_format=torch.channels_last) and not conv.is_contiguous()
    conv.grad = torch.randn_like(conv)
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    kept = {name: value.clone() for name, value in optimizer.state[conv].items()}
    for moments in state["state"].values():
        for name in ("exp_avg", "exp_avg_sq"):
            moments[name] = moments[name].contiguous()
    optimizer.load_state_dict(state)
    for name in ("exp_avg", "exp_avg_sq"):
        assert optimizer.state[conv][name].stride() == conv.stride()
        assert torch.equal(optimizer.state[conv][name], kept[name])


def test_both_memory_formats_are_the_same_mathematics():
    found = {}
    for memory_format in ("channels_last", "contiguous"):
        torch.manual_seed(0)
        module = tiny(lr=1e-3)
        module.lay_out(memory_format)
        recorder, _ = fit(module, batches(3))
        last = memory_format == "channels_last"
        for network in (module.generator, module.ema, module.discriminator):
            weight = next(p for p in network.parameters() if p.ndim == 4 and min(p.shape) > 1)
            assert weight.is_contiguous() is not last
        found[memory_format] = module, recorder.outputs
    (module, losses), (other, other_losses) = found.values()
    torch.testing.assert_close(losses, other_losses, rtol=1e-4, atol=1e-6)
    assert_near(module, other.generator, other.discriminator)


def test_logged_names_and_pairs_seen():
    module = tiny()
    recorder, trainer = fit(module, batches(3), epochs=2, val=batches(2))
    assert recorder.shown[-1] >= set(LOSSES) | {"val/psnr", "val/ssim"}
    assert set(trainer.logged_metrics) >= set(LOSSES)
    assert module.pairs_seen == 2 * 3 * 2
    assert trainer.global_step == 2 * 6  # Lightning counts both optimizers
    assert trainer.logged_metrics["step"] == 12


def test_weights_stay_out_of_the_other_step():
    torch.manual_seed(0)
    module = tiny(lambda_l1=0.0)
    fit(module, batches(1))
    assert all(p.requires_grad for p in module.discriminator.parameters())
    # D's gradients are those of its own loss alone: G's backward added nothing.
    torch.manual_seed(0)
    alone = tiny(lambda_l1=0.0)
    sketch, real = batches(1)[0]["sketch"], batches(1)[0]["real"]
    fake = alone.generator(sketch).detach()
    loss = F.softplus(alone.discriminator(sketch, fake)).mean() / 2
    (loss + F.softplus(-alone.discriminator(sketch, real)).mean() / 2).backward()
    for ours, own in zip(
        module.discriminator.parameters(), alone.discriminator.parameters(), strict=True
    ):
        torch.testing.assert_close(ours.grad, own.grad)


def test_linear_decay_follows_the_epoch():
    recorder, _ = fit(tiny(lr=1.0e-3, lr_decay=0.6), batches(1), epochs=5)
    assert recorder.lrs == pytest.approx([1e-3, 1e-3, 0.75e-3, 0.5e-3, 0.25e-3])


def test_ema_is_the_closed_form_average():
    torch.manual_seed(0)
    module = tiny(ema_kimg=1e-9, norm="batch")  # half-life 0: the average is the network itself
    fit(module, batches(2))
    torch.testing.assert_close(module.ema.state_dict(), module.generator.state_dict())

    module = tiny(ema_kimg=0.002)
    first = {k: v.clone() for k, v in module.generator.state_dict().items()}
    fit(module, batches(1))  # 2 pairs seen: half-life min(2, 0.05 * 2) = 0.1 pairs
    share = 1 - 0.5 ** (2 / 0.1)
    for name, value in module.generator.state_dict().items():
        torch.testing.assert_close(module.ema.state_dict()[name], first[name].lerp(value, share))


def test_average_moves_fifty_times_in_a_halflife_which_it_keeps():
    module = tiny(ema_kimg=0.1)
    module.pairs_seen = 2000  # as long as the half-life still grows, it is a twentieth of these
    moments = []
    with torch.no_grad():
        module.generator.out[0].bias.fill_(1.0)
        module.ema.out[0].bias.fill_(0.0)
        for _ in range(100):
            before = module.ema.out[0].bias.clone()
            module.pairs_seen += 1
            module.average(1)
            moments.append(not torch.equal(before, module.ema.out[0].bias))
    assert moments == [False, True] * 50
    torch.testing.assert_close(module.ema.out[0].bias, torch.full((3,), 0.5))


def test_pairs_that_wait_for_the_average_outlast_a_checkpoint():
    module, checkpoint = tiny(ema_kimg=0.1), {}
    module.pairs_seen = 2001
    module.average(1)
    module.on_save_checkpoint(checkpoint)
    resumed = tiny(ema_kimg=0.1)
    resumed.on_load_checkpoint(checkpoint)
    assert resumed.unaveraged == module.unaveraged == 1
    del checkpoint["unaveraged"]  # of release 0.1, which moved it at each step
    resumed.on_load_checkpoint(checkpoint)
    assert resumed.unaveraged == 0


def test_forward_uses_the_average_and_is_deterministic():
    module = tiny(norm="batch", generator={"base_channels": 2, "dropout": 0.5}).eval()
    sketch = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        for p in module.generator.parameters():
            p.zero_()
    batch = {"sketch": sketch}
    assert module(batch).abs().max() > 0
    torch.testing.assert_close(module(batch), module(batch), rtol=0, atol=0)
    assert tiny(ema_kimg=0).ema is None


def test_validation_metrics_agree_with_scikit_image():
    torch.manual_seed(0)
    module = tiny(lr=1e-9)
    val = batches(2)
    _, trainer = fit(module, batches(1), val=val)
    psnr, ssim = [], []
    for batch in val:
        with torch.no_grad():
            fake = module.eval()(batch)
        for f, r in zip(fake, batch["real"], strict=True):
            f, r = ((x.double().permute(1, 2, 0).numpy() + 1) / 2 for x in (f, r))
            psnr.append(peak_signal_noise_ratio(r, f, data_range=1))
            ssim.append(
                structural_similarity(
                    r,
                    f,
                    data_range=1,
                    channel_axis=2,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                )
            )
    assert trainer.callback_metrics["val/psnr"].item() == pytest.approx(np.mean(psnr), abs=1e-3)
    assert trainer.callback_metrics["val/ssim"].item() == pytest.approx(np.mean(ssim), abs=2e-3)


def test_photo_task_predicts_ab_and_is_judged_in_rgb():
    module = tiny(task="photo")
    assert module.generator.out_channels == 2
    rgb = batches(1)[0]["real"]
    lab = rgb_to_lab(rgb)
    batch = {"sketch": lab[:, :1], "real": lab[:, 1:]}
    _, trainer = fit(module, [batch], val=[batch])
    fake = lab_to_rgb(torch.cat([batch["sketch"], module.eval()(batch).detach()], 1))
    mse = ((fake - rgb) / 2).square().mean(dim=(1, 2, 3))
    psnr = (-10 * mse.log10()).mean().item()
    assert trainer.callback_metrics["val/psnr"].item() == pytest.approx(psnr, abs=1e-3)
    assert module.about()["task"] == "photo"


def test_learns_a_constant_picture():
    torch.manual_seed(0)
    batch = {"sketch": torch.ones(2, 1, 32, 32), "real": torch.full((2, 3, 32, 32), 0.5)}
    recorder, _ = fit(tiny(lr=1e-2), list(islice(cycle([batch]), 60)))
    assert recorder.outputs[-1]["loss_G_L1"] < 0.2 * recorder.outputs[0]["loss_G_L1"]
    assert math.isfinite(recorder.outputs[-1]["loss_G_GAN"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gan_mode": "wgan"}, "Expected `model.gan_mode` to be one of vanilla"),
        ({"lambda_l1": -1}, "Expected `model.lambda_l1` to be at least 0, got -1"),
        ({"lambda_psnr": -1}, "Expected `model.lambda_psnr` to be at least 0, got -1"),
        ({"lambda_psnr": math.nan}, "Expected `model.lambda_psnr` to be at least 0, got nan"),
        ({"lr": 0}, "Expected `model.lr` above 0, got 0"),
        *[
            ({name: math.inf}, f"Expected `model.{name}` to be finite, got inf.")
            for name in ("lr", "lambda_l1", "lambda_psnr", "ema_kimg")
        ],
        ({"lr_decay": 3}, r"Expected `model.lr_decay` to be in \[0, 1\], got 3"),
        ({"betas": (0.5, 1.0)}, "Expected `model.betas` to be two numbers"),
        ({"size": 16}, "Expected `size` to be at least 32 for a discriminator with 3 layers"),
        ({"task": "video"}, "Expected `model.task` to be one of sketch, photo, got 'video'"),
    ],
)
def test_arguments(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny(**changes)


def test_start_from_other_weights():
    module = tiny()
    source = UNetGenerator(32, base_channels=2)
    module.start_from(source)
    for network in (module.generator, module.ema):
        torch.testing.assert_close(network.state_dict(), source.state_dict())
    with pytest.raises(
        ValueError, match="Expected weights of the same generator, got .* differing"
    ):
        module.start_from(UNetGenerator(32, base_channels=4))


def test_a_checkpoint_of_another_network_is_refused():
    checkpoint = {}
    tiny().on_save_checkpoint(checkpoint)
    other = tiny(generator={"base_channels": 4, "dropout": 0.0}, norm="batch")
    with pytest.raises(ValueError, match=r"base_channels 4 \(was 2\), norm batch \(was instance\)"):
        other.on_load_checkpoint(checkpoint)
    with pytest.raises(ValueError, match="Expected a checkpoint written by train.py"):
        tiny().on_load_checkpoint({"state_dict": {}})
    same = tiny()
    same.on_load_checkpoint({**checkpoint, "pairs_seen": 7})
    assert same.pairs_seen == 7


def test_parts_and_batch_norm_are_warned_of():
    with pytest.warns(UserWarning, match="Batch norm sees each of the model.accumulate=2 parts"):
        fit(tiny(norm="batch", accumulate=2), batches(1))


def test_metrics_are_of_float32_whatever_the_precision():
    val = [
        {"sketch": b["sketch"], "real": 0.7 + 0.05 * b["real"]} for b in batches(2)
    ]  # nearly flat
    found = []
    for precision in ("32-true", "bf16-mixed"):
        torch.manual_seed(0)
        module = tiny(lr=1e-9)
        torch.nn.init.constant_(module.ema.out[0].bias, 1.0)
        _, trainer = fit(module, batches(1), val=val, precision=precision)
        found.append(
            {name: trainer.callback_metrics[name].item() for name in ("val/psnr", "val/ssim")}
        )
    assert found[1] == pytest.approx(found[0], abs=0.02)  # in bfloat16 SSIM would be 0.13 off
