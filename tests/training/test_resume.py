import pytest
import torch
import yaml

from sketch2paint.training.resume import (
    checkpoint_to_resume,
    compare_configs,
    is_first_process,
    kept_memory_format,
)

CONFIG = {
    "name": "a",
    "data": {"root": "pairs", "size": 32, "task": "sketch", "num_workers": 1, "batch_size": 4},
    "model": {"norm": "instance", "lr": 2e-4, "betas": [0.5, 0.999], "generator": {"levels": None}},
    "trainer": {"max_epochs": 5, "gpus": 0},
    "callbacks": {"checkpoints": {"every": "15min"}},
}


def write(path, pairs_seen):
    path.parent.mkdir(parents=True, exist_ok=True)
    loops = {"fit_loop": {"epoch_progress": {"current": {"processed": 3}}}}
    checkpoint = {"state_dict": {"x": torch.ones(1000)}, "pairs_seen": pairs_seen, "loops": loops}
    torch.save(checkpoint, path)
    return path


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"])
def test_first_process(monkeypatch, name):
    for rank in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(rank, raising=False)
    assert is_first_process()
    monkeypatch.setenv(name, "0")
    assert is_first_process()
    monkeypatch.setenv(name, "1")
    assert not is_first_process()


def test_nothing_to_resume(tmp_path, capsys):
    assert checkpoint_to_resume(tmp_path, False) is None
    assert checkpoint_to_resume(tmp_path, True) is None
    assert "no checkpoint yet; starting from the beginning" in capsys.readouterr().out
    (tmp_path / "config.yaml").touch()
    with pytest.raises(FileExistsError, match="holds a run already. To go on .* resume=true"):
        checkpoint_to_resume(tmp_path, False)


def test_another_process_does_not_ask_who_began(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").touch()
    monkeypatch.setenv("LOCAL_RANK", "1")  # the first one has just written it
    assert checkpoint_to_resume(tmp_path, False) is None


def truncate(path):
    path.write_bytes(path.read_bytes()[:-500])


def zero(path):
    data = bytearray(path.read_bytes())
    data[1000:3000] = bytes(2000)
    path.write_bytes(data)


def swap(path):
    path.write_text("a letter")


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, zero, swap, empty])
def test_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, capsys, damage):
    folder = tmp_path / "checkpoints"
    last = write(folder / "last.ckpt", 30)
    write(folder / "previous.ckpt", 20)
    assert checkpoint_to_resume(tmp_path, True) == (last, 30, 3)
    assert "WARNING" not in capsys.readouterr().out
    damage(last)
    assert checkpoint_to_resume(tmp_path, True) == (folder / "previous.ckpt", 20, 3)
    output = capsys.readouterr().out
    assert f"WARNING: {last}: " in output
    assert f"WARNING: going on from {folder / 'previous.ckpt'} (20 pairs seen)" in output
    # Put aside, or the next checkpoint written would make it the one before.
    assert not last.exists() and (folder / "damaged.ckpt").exists()


def test_every_checkpoint_damaged(tmp_path, capsys):
    folder = tmp_path / "checkpoints"
    for name in ("last", "previous", "epoch_0005", "epoch_0010"):
        swap(write(folder / f"{name}.ckpt", 1))
    with pytest.raises(ValueError, match="(?s)last.*previous.*0010.*0005.*none is left. Start"):
        checkpoint_to_resume(tmp_path, True)
    write(folder / "epoch_0005.ckpt", 1)
    assert checkpoint_to_resume(tmp_path, True) == (folder / "epoch_0005.ckpt", 1, 3)


def test_checkpoint_by_path(tmp_path):
    path = write(tmp_path / "x.ckpt", 1)
    assert checkpoint_to_resume(tmp_path, str(path)) == (path, 1, 3)
    swap(path)
    with pytest.raises(ValueError, match="x.ckpt: "):  # no other one is taken in its place
        checkpoint_to_resume(tmp_path, str(path))
    for foreign in ({}, {"pairs_seen": 1}, {"pairs_seen": 1, "loops": None}):
        torch.save({"state_dict": {}, **foreign}, path)
        with pytest.raises(ValueError, match="x.ckpt: expected a checkpoint written by train.py"):
            checkpoint_to_resume(tmp_path, str(path))
    with pytest.raises(FileNotFoundError, match="y.ckpt: no such checkpoint. Pass resume=true"):
        checkpoint_to_resume(tmp_path, str(tmp_path / "y.ckpt"))


def changed(**groups):
    return CONFIG | {name: CONFIG[name] | values for name, values in groups.items()}


@pytest.fixture
def checkpoint(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return tmp_path / "checkpoints/last.ckpt"


def test_same_configuration(checkpoint):
    assert compare_configs(checkpoint, CONFIG) == []
    assert compare_configs(checkpoint, CONFIG | {"name": "b", "resume": True}) == []
    tuples = changed(model={"betas": (0.5, 0.999)})
    assert compare_configs(checkpoint, tuples) == []


@pytest.mark.parametrize(
    ("groups", "line"),
    [
        ({"trainer": {"max_epochs": 9}}, "trainer.max_epochs: 5 -> 9"),
        ({"data": {"num_workers": 0}}, "data.num_workers: 1 -> 0"),
        (
            {"callbacks": {"checkpoints": {"every_n_epochs": 2}}},
            "callbacks.checkpoints.every_n_epochs: 'absent' -> 2",
        ),
    ],
)
def test_harmless_changes_are_told(checkpoint, groups, line):
    expected = [f"Changed since the run began, {line}"]
    assert compare_configs(checkpoint, changed(**groups)) == expected


def test_the_number_of_epochs_decides_on_the_rate_where_it_decays(checkpoint):
    decaying = {"model": {**CONFIG["model"], "lr_decay": 0.4}}
    (checkpoint.parent.parent / "config.yaml").write_text(yaml.safe_dump(CONFIG | decaying))
    longer = changed(trainer={"max_epochs": 9}) | decaying
    assert compare_configs(checkpoint, longer) == [
        "WARNING: changed since the run began, trainer.max_epochs: 5 -> 9: "
        "not what an unbroken run would do"
    ]


def test_other_changes_are_warned_of(checkpoint):
    lines = compare_configs(checkpoint, changed(model={"lr": 1e-4}, data={"batch_size": 8}))
    assert [line.split(":")[0] for line in lines] == ["WARNING", "WARNING"]
    assert "data.batch_size: 4 -> 8: not what an unbroken run would do" in lines[0]
    assert "model.lr: 0.0002 -> 0.0001" in lines[1]


def test_other_networks_are_refused(checkpoint):
    other = changed(model={"norm": "batch", "generator": {"levels": 3}}, data={"size": 64})
    names = "data.size: 32 -> 64, model.generator.levels: None -> 3, model.norm: 'instance' -> "
    with pytest.raises(ValueError, match=f"expected the same networks.*{names}'batch'. Pass the"):
        compare_configs(checkpoint, other)


def test_auto_memory_format_is_the_one_that_the_run_took(checkpoint):
    assert kept_memory_format(checkpoint) == "channels_last"  # of release 0.1
    config = changed(trainer={"memory_format": "contiguous"})
    (checkpoint.parent.parent / "config.yaml").write_text(yaml.safe_dump(config))
    assert kept_memory_format(checkpoint) == "contiguous"
    (checkpoint.parent.parent / "config.yaml").unlink()
    assert kept_memory_format(checkpoint) == "auto"


def test_configuration_that_cannot_be_compared(tmp_path):
    checkpoint = tmp_path / "checkpoints/last.ckpt"
    assert "not there; the configuration is not compared" in compare_configs(checkpoint, {})[0]
    (tmp_path / "config.yaml").write_text("!!python/object/apply:os.system ['touch evil']")
    assert "cannot be read" in compare_configs(checkpoint, {})[0]
    (tmp_path / "config.yaml").write_text("- a list")
    assert "cannot be read" in compare_configs(checkpoint, {})[0]
