import math
import signal

import numpy as np
import pytest
import torch
from PIL import Image
from test_checkpoints import stopper
from tiny_model import BOTH, ship, write_model
from tiny_run import rows, run, scalars
from tiny_words import TINY
from whole_program import call

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.images.convert import rgb_to_lab
from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.region_network import Reply
from sketch2paint.models.tasks import PHOTO
from sketch2paint.models.weights import load_generator, load_region_network
from sketch2paint.training import learner
from sketch2paint.training.checkpoints import Interrupted
from sketch2paint.training.pix2pix import Pix2Pix
from sketch2paint.training.region_colours import RegionColours, nearest_of_all

NETWORK = {**{key: value for key, value in TINY.items() if key != "size"}, "palettes": True}


def tiny(**changes):
    torch.manual_seed(0)
    return RegionColours(**{"size": 32, "network": NETWORK, "warmup": 4, **changes})


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the cache of regions lies


@pytest.fixture
def batch(pairs_dir):
    data = SketchDataModule(root=str(pairs_dir), size=32, jitter=4, batch_size=4, num_workers=0)
    data.words, data.palettes = 64, True
    data.setup("fit")
    found = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    found["known"][0, 1] = True
    found["given"][0, 1] = torch.tensor([0.5, -0.5, 0.25])
    found["palette"] = torch.tensor([[[0.9, -0.8, -0.8], [-0.5, 0.1, 0.7]]]).repeat(4, 1, 1)
    found["portions"] = torch.tensor([[0.7, 0.3], [0.0, 0.0], [1.0, -1.0], [-1.0, -1.0]])
    return found


def begun(**changes):
    """A module whose colours were chosen."""
    module = tiny(**changes)
    for network in (module.network, module.colouring()):
        torch.manual_seed(1)
        network.colours.copy_(torch.rand(6, 3) * 2 - 1)
    module.nearest = nearest_of_all(module.network.colours)
    return module


def test_a_run_leaves_a_network_that_can_be_read(pairs_dir, tmp_path):
    _, module = run(pairs_dir, tmp_path / "run", model=tiny())
    for source in ("run", "run/weights/regions.safetensors", "run/checkpoints/last.ckpt"):
        network, about = load_region_network(tmp_path / source)
        torch.testing.assert_close(network.state_dict(), module.ema.state_dict())
        assert about["network"] == {"size": 32, **NETWORK}
        assert network.colours[0].tolist() == [1, 1, 1] and len(network.colours.unique()) > 3
    lines = rows(tmp_path / "run")
    assert {"loss_words", "loss_same", "loss", "val/psnr", "val/psnr_hinted"} <= set(lines[0])
    assert any(10 < float(row["val/psnr_palette"]) < 40 for row in lines if row["val/psnr_palette"])
    assert [int(row["pairs"]) for row in lines if row["loss"]] == [6, 11, 16]
    assert all(10 < float(row["val/psnr"]) < 40 for row in lines if row["val/psnr"])
    events = scalars(tmp_path / "run")
    assert [e.step for e in events.Scalars("loss_words")] == [3, 6, 8, 11, 14, 16]
    with Image.open(tmp_path / "run/samples/epoch_0002.png") as sheet:
        assert sheet.size[0] == 5 * 36 + 4  # sketch, flats, with hints, with a palette, real
    assert (tmp_path / "run/losses.png").exists()


@pytest.mark.parametrize("at_pairs", [3, pytest.param(8, marks=pytest.mark.slow)])  # 8: an epoch
def test_stopped_and_resumed_equals_unbroken(pairs_dir, tmp_path, at_pairs):
    network = {**NETWORK, "dropout": 0.3}
    _, unbroken = run(pairs_dir, tmp_path / "a", epochs=3, model=tiny(network=network))
    with pytest.raises(Interrupted):
        stop = stopper(at_pairs, signal.SIGINT)
        run(pairs_dir, tmp_path / "b", extra=[stop], epochs=3, model=tiny(network=network))
    last = tmp_path / "b/checkpoints/last.ckpt"
    again = tiny(network=network)
    _, resumed = run(pairs_dir, tmp_path / "b", epochs=3, checkpoint=last, model=again)
    assert resumed.pairs_seen == unbroken.pairs_seen == 24
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), rtol=0, atol=0)
    assert (tmp_path / "b/metrics.csv").read_text() == (tmp_path / "a/metrics.csv").read_text()


def test_a_mixture_is_resumed_exactly(pairs_dir, paintings, tmp_path):
    made = {"root": str(paintings), "source": "pictures", "line_styles": ["xdog"]}
    mixed = {"epochs": 3, "also": [{**made, "weight": 0.7}, {"root": str(pairs_dir), "weight": 2}]}
    _, unbroken = run(pairs_dir, tmp_path / "a", model=tiny(), **mixed)
    assert unbroken.pairs_seen == 3 * (8 + 4 + 16)
    with pytest.raises(Interrupted):
        run(pairs_dir, tmp_path / "b", extra=[stopper(43)], model=tiny(), **mixed)
    last = tmp_path / "b/checkpoints/last.ckpt"
    _, resumed = run(pairs_dir, tmp_path / "b", checkpoint=last, model=tiny(), **mixed)
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), rtol=0, atol=0)
    assert (tmp_path / "b/metrics.csv").read_text() == (tmp_path / "a/metrics.csv").read_text()


@pytest.mark.slow
def test_an_average_that_waits_to_be_moved_is_resumed_exactly(pairs_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(learner, "MOVES_IN_HALFLIFE", 0.1)  # after 3, 6, 14, 22 pairs
    _, unbroken = run(pairs_dir, tmp_path / "a", epochs=3, model=tiny())
    with pytest.raises(Interrupted):
        run(pairs_dir, tmp_path / "b", extra=[stopper(8)], epochs=3, model=tiny())
    last = tmp_path / "b/checkpoints/last.ckpt"
    assert read_checkpoint(last)["unaveraged"] == 5
    _, resumed = run(pairs_dir, tmp_path / "b", epochs=3, checkpoint=last, model=tiny())
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), rtol=0, atol=0)


@pytest.mark.slow
def test_both_memory_formats_are_the_same_mathematics(pairs_dir, tmp_path):
    found = []
    for memory_format in ("channels_last", "contiguous"):
        out, model = tmp_path / memory_format, tiny(ema_kimg=1e-9)
        run(pairs_dir, out, epochs=1, model=model, memory_format=memory_format, every=1)
        for network in (model.network, model.ema):
            weight = next(p for p in network.parameters() if p.ndim == 4 and min(p.shape) > 1)
            assert weight.is_contiguous() is (memory_format == "contiguous")
        found.append([float(row["loss"]) for row in rows(out) if row["loss"]])
    assert len(found[0]) == 3 and found[0] == pytest.approx(found[1], rel=1e-3)


@pytest.mark.parametrize("rebalance", [0, 0.3])
def test_losses_equal_plain_loops(batch, rebalance):
    module, count = begun(rebalance=rebalance), batch["about"].shape[1]
    torch.manual_seed(2)
    shares = torch.rand(4, count, 6 + count + 2)
    shares[..., 6:] *= torch.cat([batch["known"], batch["portions"] >= 0], 1)[:, None]
    shares /= shares.sum(2, keepdim=True)
    same = torch.randn(4, count, count)
    same = (same + same.transpose(1, 2)) / 2
    losses = module.losses_of(Reply(shares, same), batch)

    bins = module._bins(batch["real"].permute(0, 2, 3, 1))
    clear = (batch["sketch"][:, 0] > 160 / 127.5 - 1).numpy()
    surprise, kinship, total, touching = 0.0, 0.0, 0.0, 0.0
    frequency = module.seen / module.seen.sum() + 1e-3
    seen = np.zeros(6)
    for row in range(4):
        true, area = np.zeros((count, 6)), np.zeros(count)
        for word in range(count):
            here = clear[row] & (batch["labels"][row] == word).numpy()
            area[word] = here.sum()
            true[word] = np.bincount(bins[row].numpy()[here], minlength=6) / max(area[word], 1)
        for word in range(count):
            share = shares[row, word, :6] * frequency**rebalance
            share *= shares[row, word, :6].sum() / share.sum()
            for other in np.flatnonzero(batch["known"][row]):
                share[module._bins(batch["given"][row, other])] += shares[row, word, 6 + other]
            for entry in range(2):
                chosen = module._bins(batch["palette"][row, entry])
                share[chosen] += shares[row, word, 6 + count + entry]
            if not batch["known"][row, word]:
                total += math.sqrt(area[word])
                seen += math.sqrt(area[word]) * true[word]
                logs = np.log(share.numpy() + 1e-5)
                surprise -= math.sqrt(area[word]) * (true[word] * logs).sum()
            for other in range(count):
                border, open_ = batch["pairs"][row, word, other, [4, 6]]
                if other == word or not (border > 0 or open_ > 0):
                    continue
                weight = math.sqrt(min(area[word], area[other]))
                alike = np.sqrt(true[word] * true[other]).sum()
                logit = same[row, word, other].item()
                kinship += weight * (math.log1p(math.exp(logit)) - alike * logit)
                touching += weight
    assert losses["loss_words"].item() == pytest.approx(surprise / total, rel=1e-4)
    assert losses["loss_same"].item() == pytest.approx(kinship / touching, rel=1e-4)
    expected = losses["loss_words"] + 0.1 * losses["loss_same"]
    torch.testing.assert_close(losses["loss"], expected)
    np.testing.assert_allclose(module.seen, seen, rtol=1e-5)
    module.losses_of(Reply(shares, same), batch)
    kept = 0.99 ** (4 / 64)  # a hundredth is forgotten with 64 pairs
    np.testing.assert_allclose(module.seen, (1 + kept) * seen, rtol=1e-5)


def test_all_processes_count_the_colours_of_all(batch, monkeypatch):
    """Two processes of which the other sees the same batch."""
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor: tensor.mul_(2))
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    alone, both = (begun(rebalance=0.3) for _ in range(2))
    both.parallel = (both.network,)
    shares = torch.full((4, batch["about"].shape[1], 8 + batch["about"].shape[1]), 0.1)
    reply = Reply(shares, torch.zeros(4, *2 * [batch["about"].shape[1]]))
    losses = [[m.losses_of(reply, batch)["loss"].item() for m in (alone, both)] for _ in range(2)]
    assert losses[0][0] == pytest.approx(losses[0][1])  # frequencies are the same
    first = alone.seen / (1 + 0.99 ** (4 / 64))
    torch.testing.assert_close(both.seen, 2 * first * (1 + 0.99 ** (8 / 64)))


def test_what_is_common_is_named_no_more_often_than_it_pays(batch):
    """A network that knows nothing learns each colour's share, but for what rebalance takes off."""
    bins, shares = torch.tensor([0] * 8 + [1] + [2]), []
    for rebalance in (0.0, 0.5, 1.0):
        module = begun(rebalance=rebalance)
        module.seen = torch.bincount(bins, minlength=6).float() * 1e4
        logits = torch.zeros(6, requires_grad=True)
        for _ in range(3000):
            share = module._rebalanced(logits.softmax(0)[None, None])[0, 0]
            (gradient,) = torch.autograd.grad(-share[bins].log().mean(), logits)
            logits = (logits - 0.5 * gradient).detach().requires_grad_()
        shares.append(logits.softmax(0).detach()[:3])
    even = (8 / 10 + 1e-3) / (1 / 10 + 1e-3)
    for share, ratio in zip(shares, [8, 8 / even**0.5, 8 / even], strict=True):
        assert share[0] / share[1] == pytest.approx(ratio, rel=0.02)
        assert share[1] == pytest.approx(share[2].item())


def test_a_checkpoint_from_before_rebalancing_is_resumed(pairs_dir, tmp_path):
    run(pairs_dir, tmp_path / "run", model=tiny())
    last = tmp_path / "run/checkpoints/last.ckpt"
    checkpoint = torch.load(last, weights_only=False)
    assert checkpoint.pop("seen").sum() > 0
    torch.save(checkpoint, last)
    _, resumed = run(pairs_dir, tmp_path / "run", epochs=3, checkpoint=last, model=tiny())
    assert resumed.pairs_seen == 24 and resumed.seen.sum() > 0


def test_the_nearest_colour_is_that_of_lab():
    colours = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1], [0, 0, 0]])
    module = begun()
    module.nearest = nearest_of_all(colours)
    torch.manual_seed(0)
    some = torch.rand(200, 3) * 2 - 1
    lab, own = (rgb_to_lab(rgb.T[None, :, :, None])[0, :, :, 0].T for rgb in (some, colours))
    units = torch.tensor([50.0, 110, 110])
    distances = torch.cdist(lab * units, own * units)
    chosen = distances.gather(1, module._bins(some)[:, None])[:, 0]
    assert (chosen - distances.min(1).values).max() < 6  # 8 levels are one
    assert (module._bins(colours) == torch.arange(5)).all()


def test_flats_obey_hints_exactly_and_leave_lines_and_what_is_no_word(batch):
    module = begun().eval()
    batch["labels"][1][batch["labels"][1] == 0] = -1
    with torch.inference_mode():
        plain, hinted, given_palette = module.flats(batch)
        torch.testing.assert_close(module(batch), plain)
    light = (batch["sketch"] + 1) / 2
    for row in range(4):
        for word in np.flatnonzero(batch["known"][row]):
            here = batch["labels"][row] == int(word)
            given = (batch["given"][row, word][:, None] + 1) * light[row, 0][here] - 1
            torch.testing.assert_close(hinted[row][:, here], given)
    none = batch["labels"][1] < 0
    sketch = batch["sketch"][1].expand(3, -1, -1)
    torch.testing.assert_close(plain[1][:, none], sketch[:, none])
    assert (plain[0] - hinted[0]).abs().max() > 1e-2
    assert (plain[0] - given_palette[0]).abs().max() > 1e-2
    torch.testing.assert_close(plain[3], given_palette[3])  # it has no palette


def test_pointing_at_a_palette_s_true_colour_is_right(batch):
    module, count = begun(), batch["about"].shape[1]
    batch["real"] = batch["palette"][:, 0, :, None, None].expand(-1, -1, 32, 32)
    batch["known"][:] = False
    shares = torch.zeros(4, count, 6 + count + 2)
    right, wrong = shares.clone(), shares.clone()
    right[..., -2], wrong[..., -1] = 1, 1
    same = torch.zeros(4, count, count)
    assert module.losses_of(Reply(right, same), batch)["loss_words"] < 1e-4
    assert module.losses_of(Reply(wrong, same), batch)["loss_words"] > 5


def test_a_network_without_palettes_is_told_none(pairs_dir, tmp_path, batch):
    plain = {**NETWORK, "palettes": False}
    assert len(begun(network=plain).eval().flats(batch)) == 2
    _, module = run(pairs_dir, tmp_path / "run", model=tiny(network=plain), epochs=1)
    assert "val/psnr_palette" not in rows(tmp_path / "run")[0]
    assert not hasattr(module.network, "entry")


def test_it_learns(pairs_dir, tmp_path):
    _, module = run(pairs_dir, tmp_path / "run", model=tiny(lr=1e-2), epochs=12)
    words = [float(row["loss_words"]) for row in rows(tmp_path / "run") if row["loss_words"]]
    assert words[-1] < 0.8 * words[0]


def test_the_rate_grows_then_falls():
    module = tiny(lr=1.0, warmup=100, lr_decay=0.5)
    module._fabric = None
    trainer = type("Trainer", (), {"max_epochs": 10, "current_epoch": 0})()
    module.trainer = trainer
    assert module.current_lr() == pytest.approx(0.01)
    module.pairs_seen = 49
    assert module.current_lr() == pytest.approx(0.5)
    module.pairs_seen = 1000
    assert module.current_lr() == 1
    trainer.current_epoch = 9
    assert module.current_lr() == pytest.approx(1 / 6)


def test_a_run_goes_on_from_another_s_weights(pairs_dir, tmp_path):
    _, first = run(pairs_dir, tmp_path / "run", model=tiny())
    module = tiny()
    module.start_from(module.read_weights(tmp_path / "run"))
    torch.testing.assert_close(module.network.state_dict(), first.ema.state_dict())
    other = tiny(network={**NETWORK, "width": 15})
    with pytest.raises(ValueError, match="Expected weights of the same network.*Set model.network"):
        other.start_from(module.network)


def test_a_run_begins_with_the_model_that_comes_along(pairs_dir, tmp_path, monkeypatch):
    ship(monkeypatch, write_model(tmp_path / "tiny.safetensors", *BOTH))
    module = tiny()
    module.start_from(module.read_weights("shipped"))
    theirs = load_region_network("shipped")[0]
    for network in (module.network, module.colouring()):
        for key, value in theirs.state_dict().items():
            assert torch.equal(network.state_dict()[key], value)
    assert theirs.colours.any()
    _, trained = run(pairs_dir, tmp_path / "run", model=module, epochs=1)
    assert torch.equal(trained.network.colours, theirs.colours)  # not chosen anew
    assert trained.pairs_seen > 0
    other = tiny(network={**NETWORK, "width": 15})
    with pytest.raises(ValueError, match="Expected weights of the same network.*Set model.network"):
        other.start_from(other.read_weights("shipped"))


def test_a_generator_s_checkpoint_is_refused(pairs_dir, tmp_path):
    run(pairs_dir, tmp_path / "run", model=tiny(), epochs=1)
    last = tmp_path / "run/checkpoints/last.ckpt"
    small = {"base_channels": 2}
    other = Pix2Pix(size=32, generator=small, discriminator=small)
    with pytest.raises(ValueError, match="Expected the checkpoint's own generator to resume with"):
        run(pairs_dir, tmp_path / "run", model=other, checkpoint=last)
    with pytest.raises(ValueError, match="expected weights of a generator, got those of a region"):
        load_generator(tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": 0}, "Expected `model.words` to be at least 1, got 0."),
        ({"lr": 0}, "Expected `model.lr` above 0, got 0."),
        ({"clip": math.inf}, "Expected `model.clip` to be finite, got inf."),
        ({"lambda_same": -1}, "Expected `model.lambda_same` to be at least 0, got -1."),
        ({"rebalance": -1}, "Expected `model.rebalance` to be at least 0, got -1."),
        ({"warmup": math.nan}, "Expected `model.warmup` to be at least 0, got nan."),
        ({"betas": (0.9, 1)}, "Expected `model.betas` to be two numbers in"),
        ({"lr_decay": 2}, "Expected `model.lr_decay` to be in"),
        ({"network": {"size": 32}}, "Expected no `model.network.size`: data.size decides on it."),
        ({"planes": PHOTO.planes}, "Expected data of line drawings for model=regions, as photogr"),
        ({"style": ("warm",)}, "Expected data without a style for model=regions, which takes none"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny(**changes)


@pytest.mark.slow
def test_train_py_as_a_whole(pairs_dir, tmp_path):
    keys = [f"model.network.{key}={value}" for key, value in NETWORK.items()]
    keys += ["data=pairs", "data.root=pairs", "data.size=32", "data.jitter=4", "data.num_workers=0"]
    keys += ["experiment=regions", "trainer.gpus=0", "trainer.max_epochs=1", "name=a"]
    result = call("train", *keys, cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert load_region_network(tmp_path / "runs/a")[0].colours.any()
