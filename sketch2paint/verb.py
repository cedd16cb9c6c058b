"""What the verbs share: compose, check the keys, call, report errors in words."""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, get_type_hints

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException, InstantiationException
from hydra.types import RunMode
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from sketch2paint.arguments import described, fits

_PACKAGE = Path(__file__).resolve().parent
_INSIDE = _PACKAGE / "conf"  # where it is installed
CONF = str(_INSIDE if _INSIDE.is_dir() else _PACKAGE.parent / "conf")

# A sweep stands under multirun/ where a single run would stand under runs/.
OmegaConf.register_new_resolver(
    "sweep_dir",
    lambda out: f"multirun/{out.removeprefix('runs/')}" if out.startswith("runs/") else out,
    replace=True,
)


class UserError(CompactHydraException):
    """Printed by Hydra as its message alone, without a traceback."""


def verb(function: Callable[..., int], several: str = "") -> Callable[..., None]:
    """Make a command-line verb of a function: its parameters are the keys of conf/NAME.yaml.

    The function gets plain data and returns the exit code. Errors in the input (ValueError,
    OSError) are printed as their message; HYDRA_FULL_ERROR=1 shows where they come from.
    `several` is a key that takes a list as A,B too (with -m that is a sweep). The verb itself is
    given the words that stand on the command line between the program and the keys.
    """
    name = function.__name__
    hints = get_type_hints(function)
    codes: list[int] = []
    front: list[str] = []  # what the command line begins with: the program and those words

    def task(cfg: DictConfig) -> int:
        before = dict(os.environ), sys.argv
        # Pillow's remarks on metadata; what is wrong with a picture is said by its name.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            sys.argv = [*front, *_keys_of_job()]
            arguments = _arguments(function, cfg)
            _check_types(hints, arguments, "")
            codes.append(function(**arguments))
        except Exception as error:
            wrapped = isinstance(error, InstantiationException) and error.__cause__
            _explain(wrapped or error)
        finally:
            if "out_dir" in cfg:
                _remove_if_empty(Path(HydraConfig.get().runtime.output_dir))
            os.environ.clear()  # a launcher's variables would mislead the sweep's next job
            os.environ.update(before[0])
            sys.argv = before[1]
        if codes[-1] > 128 and HydraConfig.get().mode == RunMode.MULTIRUN:
            raise KeyboardInterrupt  # a signal ends the sweep, not only its job
        return codes[-1]

    def main(*words: str) -> None:
        codes.clear()
        front[:] = [sys.argv[0], *words]
        keys = sys.argv[len(front) :]
        sys.argv[1:] = [_as_list(key, several) for key in keys]  # Hydra's parser reads them there
        try:
            hydra.main(version_base="1.3", config_path=CONF, config_name=name)(task)()
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            sys.exit(max(codes, default=130))
        sys.exit(max(codes, default=0))

    return main


def _as_list(argument: str, several: str) -> str:
    """KEY=A,B as the list that Hydra takes."""
    key, _, value = argument.partition("=")
    plain = "," in value and not value.startswith(("[", "'", '"'))
    return f"{key}=[{value}]" if key == several and plain else argument


def _keys_of_job() -> list[str]:
    """What Lightning starts its other processes with: this job, not the sweep it is of."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return [*HydraConfig.get().overrides.task]
    return sys.argv[1:]


def _arguments(function: Callable[..., int], cfg: DictConfig) -> dict[str, Any]:
    if "out_dir" in cfg:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            cfg.out_dir = HydraConfig.get().runtime.output_dir
        sys.argv.append(f"out_dir={cfg.out_dir}")  # a name made of the time would differ
    if missing := sorted(str(key) for key in OmegaConf.missing_keys(cfg)):
        raise ValueError(f"Expected a value for {', '.join(missing)}. Pass {missing[0]}=...")
    arguments = {str(key): value for key, value in _plain(cfg).items()}
    known = inspect.signature(function).parameters
    if unknown := sorted(arguments.keys() - known.keys()):
        raise ValueError(
            f"Unknown key {', '.join(unknown)}. Expected one of {', '.join(sorted(known))}."
        )
    return arguments


def _check_types(hints: dict[str, Any], arguments: dict[str, Any], prefix: str) -> None:
    """Compare plain values with the annotations of what takes them, `_target_`s included."""
    for key, value in arguments.items():
        if key in hints and not fits(value, hints[key]):
            wanted = described(hints[key])
            quote = " Quote names that are numbers." if "str" in wanted else ""
            raise ValueError(f"Expected `{prefix}{key}` to be {wanted}, got {value!r}.{quote}")
        nodes = [(f"{prefix}{key}.", value), *_children(value, f"{prefix}{key}.")]
        for place, node in nodes:
            if isinstance(node, dict) and str(node.get("_target_")).startswith("sketch2paint."):
                plain = {name: item for name, item in node.items() if name != "_target_"}
                target = get_object(node["_target_"])
                init = target.__init__ if inspect.isclass(target) else target
                _check_types(get_type_hints(init), plain, place)


def _children(value: Any, prefix: str) -> list[tuple[str, Any]]:
    """The mappings inside a mapping that is not itself built: callbacks."""
    if not isinstance(value, dict) or "_target_" in value:
        return []
    return [(f"{prefix}{name}.", item) for name, item in value.items()]


def _plain(cfg: DictConfig) -> dict[str, Any]:
    plain = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(plain, dict)
    return plain  # type: ignore[return-value]


def _remove_if_empty(folder: Path) -> None:
    """Take back the run folder that Hydra made, where nothing came into it."""
    for path in (folder, folder.parent):
        with suppress(OSError):
            path.rmdir()  # refuses where there is anything in it


def _explain(error: BaseException) -> None:
    expected = isinstance(error, (ValueError, OSError, CompactHydraException))
    if os.environ.get("HYDRA_FULL_ERROR") or not (expected or _is_known(error)):
        raise error
    memory = type(error).__name__ == "OutOfMemoryError"
    hint = "\nPass half of the batch size, or a smaller size." if memory else ""
    raise UserError(f"error: {error}{hint}") from None


def _is_known(error: BaseException) -> bool:
    """Errors of other libraries whose message is meant for the user."""
    names = {"MisconfigurationException", "OutOfMemoryError"}
    return any(cls.__name__ in names for cls in type(error).__mro__)
