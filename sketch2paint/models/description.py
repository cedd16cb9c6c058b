"""What a weight file says of itself, so that nobody needs a configuration to read it."""

from __future__ import annotations

import inspect
import json
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from sketch2paint.models.tasks import Plane, TaskName, as_planes, channels_of, task_of

if TYPE_CHECKING:  # an .onnx file has a description too, and needs no torch
    from torch import Tensor

    from sketch2paint.models.networks import UNetGenerator
    from sketch2paint.models.region_network import RegionNetwork

FORMAT = "sketch2paint generator"
VERSION = 2  # 1, of release 0.1, does not name the planes: they are the task's own
REGIONS, REGIONS_VERSION = "sketch2paint region network", 1
MODEL, MODEL_VERSION = "sketch2paint model", 1  # one file with either network, or both
PLAIN_BYTES = 2**22  # of a description or a pickle without the tensors; ours have 0.1 MB
PartName = Literal["generator", "region_network"]
WeightType = Literal["float32", "float16"]


class Part(NamedTuple):
    """One network of a weight file.

    Attributes:
        about: Description of the network.
        prefix: What the names of its tensors begin with in the file.
        dtype: Type of its weights in the file.
    """

    about: dict[str, Any]
    prefix: str = ""
    dtype: WeightType = "float32"


def describe(
    generator: dict[str, Any],
    task: str,
    planes: Sequence[Plane] | None = None,
    *,
    style: Sequence[str] = (),
) -> dict[str, Any]:
    """What a weight file says of itself.

    Args:
        generator: Plain keyword arguments of its UNetGenerator.
        task: What goes in and comes out: sketch (line art to RGB) | photo (L to ab).
        planes: What the generator is given, in the order of its channels; None: the task's own.
        style: Names of the numbers of the style code that it is given.
    """
    told = {"style": [*style]} if style else {}
    return {
        "format": FORMAT,
        "version": VERSION,
        "task": task,
        "planes": [plane._asdict() for plane in planes or task_of(task).planes],
        "value_range": [-1, 1],
        "generator": generator,
        **told,
    }


def describe_regions(network: dict[str, Any]) -> dict[str, Any]:
    """What the weight file of a region network says of itself.

    Args:
        network: Plain keyword arguments of its RegionNetwork.
    """
    return {
        "format": REGIONS,
        "version": REGIONS_VERSION,
        "task": "sketch",
        "value_range": [-1, 1],
        "network": network,
    }


def describe_model(
    parts: dict[PartName, dict[str, Any]],
    *,
    dtype: WeightType,
    name: str = "",
    licence: str = "",
    attribution: str = "",
) -> dict[str, Any]:
    """What a weight file of one network or of both says of itself.

    Args:
        parts: Descriptions of its networks, see `describe` and `describe_regions`.
        dtype: Type of the weights.
        name: Name of the model.
        licence: Licence of the weights.
        attribution: Words on whose pictures it was trained on.
    """
    about: dict[str, Any] = {"format": MODEL, "version": MODEL_VERSION, "name": name}
    about |= {"licence": licence, "attribution": attribution, "dtype": dtype}
    return about | {str(part): told for part, told in parts.items()}


def networks_told(about: Any) -> frozenset[PartName]:
    """The networks that a description speaks of, unchecked."""
    if not isinstance(about, dict):
        return frozenset()
    if same(about.get("format"), MODEL):
        return frozenset(part for part in get_args(PartName) if part in about)
    one: PartName = "region_network" if same(about.get("format"), REGIONS) else "generator"
    return frozenset({one})


def planes_of(about: dict[str, Any]) -> tuple[Plane, ...]:
    """The planes of a description that was checked."""
    return as_planes(about["planes"]) if "planes" in about else task_of(about["task"]).planes


def style_of(about: dict[str, Any]) -> tuple[str, ...]:
    """Names of the numbers of a checked description's style code; none where it has no names."""
    return tuple(about.get("style", ()))


def in_full(about: dict[str, Any]) -> dict[str, Any]:
    """A described network's arguments with the defaults of those that are not given."""
    kind, key = _network_of(about)
    parameters = inspect.signature(kind).parameters.values()
    return {**{p.name: p.default for p in parameters}, **about[key]}


def _network_of(about: dict[str, Any]) -> tuple[type[UNetGenerator | RegionNetwork], str]:
    """The class of a described network, and where its arguments stand."""
    if about["format"] == REGIONS:
        from sketch2paint.models.region_network import RegionNetwork

        return RegionNetwork, "network"
    from sketch2paint.models.networks import UNetGenerator

    return UNetGenerator, "generator"


def parse_description(path: Path, text: str, task: str | None) -> dict[str, Any]:
    """Read the JSON of one network's description as `check_description` does."""
    return check_description(path, _parsed(path, text), task)


def parse_part(path: Path, text: str, task: str | None, wanted: PartName) -> Part:
    """Read the JSON of a weight file, and which of its networks is meant.

    Args:
        path: File, for errors.
        text: JSON of the description of a network or a model.
        task: sketch | photo, if only weights for it will do.
        wanted: Network that is looked for; where it is not there, the other one comes.

    Raises:
        ValueError: it is no such description.
    """
    about = _parsed(path, text)
    if not isinstance(about, dict) or not same(about.get("format"), MODEL):
        return Part(check_description(path, about, task))
    version, told = about.get("version"), networks_told(about)
    dtype: Any = about.get("dtype")
    if not same(version, MODEL_VERSION) or dtype not in get_args(WeightType) or not told:
        raise ValueError(
            f"{path}: expected {MODEL!r} version {MODEL_VERSION} of float32 or float16 with "
            f"a generator or a region network, got version {reprlib.repr(version)} of "
            f"{reprlib.repr(dtype)} with {', '.join(sorted(told)) or 'neither'}. Read it with the "
            "release that wrote it."
        )
    name = wanted if wanted in told else next(iter(told))
    part = check_description(path, about[name], task)
    if networks_told(part) != {name}:
        raise ValueError(f"{path}: expected a {name} where its description says so, got another.")
    return Part(part, f"{name}.", dtype)


def _parsed(path: Path, text: str) -> Any:
    try:
        if len(text) > PLAIN_BYTES:
            raise ValueError(f"{len(text)} characters")
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: expected a description of the weights as JSON, got {reprlib.repr(text)} "
            f"({str(error)[:100]}). Pass a file that sketch2paint wrote."
        ) from error


def check_description(path: Path, about: Any, task: str | None) -> dict[str, Any]:
    """Check all of a description but the generator's arguments.

    Raises:
        ValueError: of another format, version or task than expected, or with planes that are none.
    """
    if not isinstance(about, dict):
        raise ValueError(
            f"{path}: expected a description of the weights, got {reprlib.repr(about)}."
        )
    kind, version, trained = (about.get(key) for key in ("format", "version", "task"))
    newest = REGIONS_VERSION if same(kind, REGIONS) else VERSION
    known = any(same(version, number) for number in range(1, newest + 1))
    if not (same(kind, FORMAT) or same(kind, REGIONS)) or not known:
        raise ValueError(
            f"{path}: expected {FORMAT!r} version {VERSION}, got {reprlib.repr(kind)} "
            f"version {reprlib.repr(version)}. Read it with the release that wrote it."
        )
    wanted = list(TaskName.__args__) if task is None else [task]  # type: ignore[attr-defined]
    if not isinstance(trained, str) or trained not in wanted:
        raise ValueError(
            f"{path}: expected weights for the task {' or '.join(wanted)}, "
            f"got task {reprlib.repr(trained)}. Pass weights that were trained for it."
        )
    if not same(about.get("value_range"), [-1, 1]):
        given = reprlib.repr(about.get("value_range"))
        raise ValueError(f"{path}: expected `value_range` to be [-1, 1], got {given}.")
    if kind == FORMAT and version != 1:
        as_planes(about.get("planes"), f"{path}: `planes`")
    return about


def same(value: Any, expected: Any) -> bool:
    """Equality of plain data, of nothing that brings its own idea of it."""
    if isinstance(expected, list) and type(value) is list and len(value) == len(expected):
        return all(map(same, value, expected))
    return not isinstance(expected, list) and type(value) is type(expected) and value == expected


def declared(
    path: Path, about: dict[str, Any]
) -> tuple[UNetGenerator | RegionNetwork, dict[str, str]]:
    """The network without memory, and the type and shape of each of its tensors.

    Args:
        path: File, for errors.
        about: Description that was checked.

    Raises:
        ValueError: its arguments, task and planes do not make one network.
    """
    import torch

    from sketch2paint.models.networks import UNetGenerator

    kind, name = _network_of(about)
    arguments, known = about.get(name), list(inspect.signature(kind).parameters)
    where = f"{path}: weights and description disagree: `{name}`"
    if not isinstance(arguments, dict):
        raise ValueError(f"{where} is {reprlib.repr(arguments)}, expected its arguments.")
    for key in arguments:
        if not isinstance(key, str) or key not in known:
            raise ValueError(f"{where} declares {reprlib.repr(key)}, expected {', '.join(known)}.")
    try:
        with torch.device("meta"):
            network = kind(**arguments)
    except (ValueError, RuntimeError) as error:  # torch's own for sizes beyond 2**63
        raise ValueError(f"{where} cannot be built: {error}") from error
    if isinstance(network, UNetGenerator):
        _check_channels(where, network, about)
        check_style(path, about.get("style", []), network.style_channels)
    return network, {key: kind_of(tensor) for key, tensor in network.state_dict().items()}


def _check_channels(where: str, generator: UNetGenerator, about: dict[str, Any]) -> None:
    planes = planes_of(about)
    for name, given, expected, why in (
        ("in_channels", generator.in_channels, channels_of(planes),
         f"the planes {', '.join(plane.name for plane in planes)}"),
        ("out_channels", generator.out_channels, task_of(about["task"]).out_channels,
         f"the task {about['task']}"),
    ):  # fmt: skip
        if given != expected:
            raise ValueError(f"{where} declares `{name}` {given}, expected {expected} for {why}.")


def check_style(path: Path, names: Any, numbers: int) -> None:
    """See that a style code's numbers have a name each, or none has.

    Raises:
        ValueError: they do not.
    """
    plain = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not plain or len({*names}) not in (0, numbers) or len(names) != len({*names}):
        raise ValueError(
            f"{path}: expected `style` to be the names of the generator's {numbers} numbers, got "
            f"{reprlib.repr(names)}. Pass a file as training or export.py wrote it."
        )


def kind_of(tensor: Tensor) -> str:
    """Type and shape in words: `float32 [64, 1, 4, 4]`."""
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def compare(path: Path, expected: dict[str, str], found: dict[str, str]) -> None:
    """See that a file holds just the tensors that its description declares.

    Raises:
        ValueError: it does not; the message names the first one that differs.
    """
    differing = [k for k in expected | found if expected.get(k) != found.get(k)]
    if differing:
        key = differing[0]
        raise ValueError(
            f"{path}: weights and description disagree in {len(differing)} tensors: "
            f"{reprlib.repr(key)} is declared as {expected.get(key, 'absent')}, "
            f"in the file it is {found.get(key, 'absent')}. Pass the file as it was written."
        )
