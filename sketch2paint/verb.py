"""What the verbs share: compose, check the keys, call, report errors in words."""

from __future__ import annotations

import inspect
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from pydoc import ErrorDuringImport, locate
from typing import Any, get_type_hints

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn
from hydra.errors import CompactHydraException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from sketch2paint.advice import (
    Group,
    given_values,
    right_kind,
    unknown_key,
    what_hydra_said,
)
from sketch2paint.arguments import described, fits
from sketch2paint.console import outlast, printable
from sketch2paint.files import FULL
from sketch2paint.overrides import CommandLine, WrongCommand, names_of
from sketch2paint.shell import escaped, override, quoted

_PACKAGE = Path(__file__).resolve().parent
_INSIDE = _PACKAGE / "conf"  # where it is installed
CONF = str(_INSIDE if _INSIDE.is_dir() else _PACKAGE.parent / "conf")
WORK = ("ChildProcessError", "OutOfMemoryError")  # what only the work can raise
FULL_ERROR = "HYDRA_FULL_ERROR"  # with it Hydra raises what it would print
SPINS = "10000"  # turns of a thread's loop before it sleeps

# A sweep stands under multirun/ where a single run would stand under runs/.
OmegaConf.register_new_resolver(
    "sweep_dir",
    lambda out: f"multirun/{out.removeprefix('runs/')}" if out.startswith("runs/") else out,
    replace=True,
)


class FailedJob(CompactHydraException):
    """The error of a sweep's job, in words.

    Args:
        text: Words for the sweep's summary.
        told: Words that name the job as well.
        code: Exit code that a single run would have.
    """

    def __init__(self, text: str, told: str = "", code: int = 1) -> None:
        super().__init__(text)
        self.told, self.code = told, code  # a pickle keeps them: jobs may run elsewhere


_result_of = JobReturn.return_value


def _return_value(job: JobReturn) -> Any:
    """What a job gave; Hydra's own words for one that failed stay out where ours are told."""
    if isinstance(job._return_value, FailedJob):
        raise job._return_value
    return _result_of.fget(job)  # type: ignore[attr-defined]


JobReturn.return_value = property(  # type: ignore[assignment, method-assign]
    _return_value,
    _result_of.fset,  # type: ignore[attr-defined]
)


class UnknownKey(ValueError):
    """A key that nothing takes; its name is all of the message."""


class WrongType(ValueError):
    """A value that is not what the annotation of its key says.

    Args:
        key: Dotted key.
        value: What came.
        hint: The annotation.
    """

    def __init__(self, key: str, value: object, hint: Any) -> None:
        super().__init__(f"Expected `{key}` to be {described(hint)}, got {value!r}.")
        self.key, self.value = key, value


@contextmanager
def working() -> Iterator[None]:
    """Say that the keys are right by now: what fails inside is the work, with exit code 1."""
    try:
        yield
    except Exception as error:
        error.at_work = True  # type: ignore[attr-defined]
        raise


Values = dict[str, Any]  # by dotted keys
Own = Callable[[DictConfig], Values]


def verb(
    function: Callable[..., int], several: str = "", own: Own | None = None
) -> Callable[..., None]:
    """Make a command-line verb of a function: its parameters are the keys of conf/NAME.yaml.

    The function gets plain data and returns the exit code. Errors in the input (ValueError,
    OSError) are printed as their message, with exit code 2, or 1 inside `working`;
    HYDRA_FULL_ERROR=1 shows where they come from. `several` names keys, with blanks between, that
    take a list as A,B too.
    `own` gives the values of a run that is gone on with, which stand for the defaults then.
    The verb itself is given the words that stand on the command line between the program and the
    keys.
    """
    return _Verb(function, several, own)


class _Verb:
    def __init__(self, function: Callable[..., int], several: str, own: Own | None) -> None:
        self.function, self.several, self.own = function, several, own
        self.names, self.defaults = names_of(function), partial(_defaults, function.__name__)
        self.front: list[str] = []  # what the command line begins with: the program, its words
        self.given: list[str] = []  # the keys, as they were typed
        self.codes: list[int] = []
        self.errors: list[Exception] = []
        self.full: str | None = None  # FULL_ERROR as the user has set it

    def __call__(self, *words: str) -> None:
        outlast()
        # Threads that spin for long while they wait hold the cores of those that they wait for,
        # where other programs run too. GNU's OpenMP, which torch computes with, reads this when
        # torch is imported. Not to spin at all costs a third of an idle machine.
        if "OMP_WAIT_POLICY" not in os.environ:
            os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
        self.front, self.codes, self.errors = [sys.argv[0], *words], [], []
        self.given, self.full = sys.argv[len(self.front) :], os.environ.get(FULL_ERROR)
        try:
            self._run()
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            sys.exit(max(self.codes, default=130))
        except Exception as error:
            sys.exit(self._tell(error))
        finally:
            os.environ.pop(FULL_ERROR, None)
            os.environ.update({FULL_ERROR: self.full} if self.full else {})
        sys.exit(max(self.codes, default=0))

    def _run(self) -> None:
        """Let Hydra compose and call; what goes wrong is raised."""
        name = self.function.__name__
        line = CommandLine(self.given, name, self.names, self.several, self.defaults)
        sys.argv[1:] = line.for_hydra()  # Hydra's parser reads them there
        os.environ[FULL_ERROR] = "1"
        hydra.main(version_base="1.3", config_path=CONF, config_name=name)(self._task)()
        if self.errors:
            raise self.errors[0]

    def _task(self, cfg: DictConfig) -> int:
        before = dict(os.environ), sys.argv
        sweep = HydraConfig.get().mode == RunMode.MULTIRUN
        if not self.full:
            os.environ.pop(FULL_ERROR, None)  # other processes report by themselves
        # Pillow's remarks on metadata; what is wrong with a picture is said by its name.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            sys.argv = [*self.front, *words_of_job()]
            arguments = _arguments(self.function, cfg, self._own_values(cfg))
            _check_types(get_type_hints(self.function), arguments, "")
            code = self.function(**arguments)
        except Exception as error:
            if not sweep:
                self.errors.append(error)
                return 1
            if self.full or not (text := self._in_words(error)):
                raise
            told = f"{_job_in_words()}: {text}"
            # The sweep's summary takes it from Hydra.
            raise FailedJob(f"error: {text}", told, _exit_code(error)) from None
        finally:
            os.environ.clear()  # a launcher's variables would mislead the sweep's next job
            os.environ.update(before[0])
            sys.argv = before[1]
        self.codes.append(code)
        if code > 128 and sweep:
            raise KeyboardInterrupt  # a signal ends the sweep, not only its job
        return code

    def _own_values(self, cfg: DictConfig) -> Values:
        """What a run that is gone on with has of its own: neither typed nor out of a group.

        Groups that build something else in that run are put into `cfg`.
        """
        _set_out_dir(cfg)
        if not self.own or not (own := self.own(cfg)):
            return {}
        typed, groups = given_values(words_of_job()), self._own_groups(cfg, own)
        for group, word in groups.items():
            if group not in typed and _chosen(group) == self.defaults()[group]:
                cfg[group] = self._composed_with(word)[group]
        defaults = self.defaults(*groups.values())
        values = _flat(OmegaConf.to_container(cfg))  # `_target_` never comes from a file
        for key in own.keys() & values.keys() - typed.keys():
            follows = re.fullmatch(r"\$\{([\w.]+)\}", str(values[key]))
            if follows and own.get(follows[1], own[key]) == own[key]:
                del own[key]  # it still stands for the other one, which may have been typed
        return {
            key: value
            for key, value in own.items()
            if key not in typed and key in values and _is_default(key, values[key], defaults)
        }

    def _own_groups(self, cfg: DictConfig, own: Values) -> dict[str, str]:
        """What to type for the groups that build something else in such a run than by default."""
        found: dict[str, str] = {}
        for group, default in self.defaults().items():
            if not isinstance(default, Group) or group not in cfg:
                continue
            target, now = own.get(f"{group}._target_"), cfg[group].get("_target_")
            if target and (now != target or _chosen(group) != default):
                option = _option(self.function.__name__, group, default, target)
                found |= {} if option == default else {group: f"{group}={option}"}
        return found

    def _composed_with(self, word: str) -> DictConfig:
        """This job's configuration, had that word been typed too."""
        words = [*HydraConfig.get().overrides.task, word]
        try:
            return hydra.compose(self.function.__name__, words)
        except (HydraException, OmegaConfBaseException) as error:
            said = what_hydra_said(error, self.given, self.defaults(word))
            raise WrongCommand(f"The run is one of {word}. {said}") from error

    def _tell(self, error: Exception) -> int:
        """Print an error in words, or show where it comes from; returns the exit code."""
        text = error.told if isinstance(error, FailedJob) else self._in_words(error)
        if self.full or not text:
            traceback.print_exception(error)
        if text:
            print(f"error: {text}", file=sys.stderr)
        return _exit_code(error) if text else 1

    def _in_words(self, error: BaseException) -> str:
        """What to tell the user; empty if the error is one of the program."""
        if key := _unexpected(error, self.given):
            error = UnknownKey(key)
        if isinstance(error, UnknownKey):
            values = given_values(self.given)
            return printable(unknown_key(str(error), values.get(str(error), ""), self._known()))
        if isinstance(error, WrongType):
            return f"{error} {right_kind(error.key, error.value, self._known())}".rstrip()
        if isinstance(error, WrongCommand):
            return printable(str(error))
        of_group = "Config group override must be" in str(error)  # a ValueError of Hydra
        if isinstance(error, (HydraException, OmegaConfBaseException)) or of_group:
            return printable(what_hydra_said(error, self.given, self._known()))
        return _told(error)

    def _known(self) -> dict[str, Any]:
        """Every key and group with its default, for messages."""
        try:
            return self.defaults()
        except (HydraException, OmegaConfBaseException, OSError):
            return {}  # the configuration itself is what is wrong


def _exit_code(error: Exception) -> int:
    """The exit code for an error that has words: 1 for the work, 2 for the command."""
    if isinstance(error, FailedJob):
        return error.code
    full = isinstance(error, OSError) and error.errno in FULL
    return 1 if full or hasattr(error, "at_work") or type(error).__name__ in WORK else 2


def _chosen(group: str) -> str | None:
    """The option of a group in this job."""
    return HydraConfig.get().runtime.choices.get(group)


def _option(name: str, group: str, default: str, target: str) -> str:
    """The option of a group with that `_target_`, the default first; the default if none has."""
    for option in (default, *GlobalHydra.instance().config_loader().get_group_options(group)):
        if hydra.compose(name, [f"{group}={option}"])[group].get("_target_") == target:
            return option
    return default


@cache
def _defaults(name: str, *words: str) -> dict[str, Any]:
    """Every dotted key of a verb and every group, with its default, or what words make of it."""
    running = GlobalHydra.instance().is_initialized()  # inside a job
    with nullcontext() if running else hydra.initialize_config_dir(CONF, version_base="1.3"):
        cfg = hydra.compose(name, list(words), return_hydra_config=True)
    choices = cfg.hydra.runtime.choices.items()
    groups = {key: Group(choice or "null") for key, choice in choices if "/" not in key}
    with open_dict(cfg):
        del cfg["hydra"]
    return {**_flat(OmegaConf.to_container(cfg)), **groups}


def _is_default(key: str, value: Any, defaults: Values) -> bool:
    """Whether no word has changed a value, nor one inside it."""
    if isinstance(value, dict):  # a group's default is its name
        inside = _flat(value, f"{key}.").items()
        return all(_is_default(inner, one, defaults) for inner, one in inside)
    return value in ("???", defaults.get(key))


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted keys of nested mappings, and the mappings themselves."""
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key != "_target_":
            found[f"{prefix}{key}"] = value
            found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {}
    return found


def words_of_job() -> list[str]:
    """What Lightning starts its other processes with: this job, not the sweep it is of."""
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        words = OmegaConf.to_container(HydraConfig.get().overrides.task)  # as they were quoted
        return [str(word) for word in words or ()]
    return sys.argv[1:]


def _job_in_words() -> str:
    """A sweep's job by its number and by what was typed for it."""
    words = [override(*given(word)) if "=" in word else word for word in words_of_job()]
    return f"job {HydraConfig.get().job.num} ({' '.join(words)})"


def given(word: str) -> tuple[str, str]:
    """Key and value of an override, without Hydra's quotes."""
    key, _, value = word.partition("=")
    if value[:1] in ("'", '"'):
        value = str(OverridesParser.create().parse_override(word).value())
    return key, value


def _set_out_dir(cfg: DictConfig) -> None:
    if "out_dir" in cfg:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            cfg.out_dir = HydraConfig.get().runtime.output_dir
        # A name made of the time would differ.
        sys.argv.append(f"out_dir={quoted(str(cfg.out_dir))}")


def _arguments(function: Callable[..., int], cfg: DictConfig, own: Values) -> dict[str, Any]:
    known = inspect.signature(function).parameters
    if unknown := sorted(map(str, cfg.keys() - known.keys())):
        raise UnknownKey(unknown[0])
    for key, value in own.items():
        OmegaConf.update(cfg, key, escaped(value))
    wanted = {key for key, taken in known.items() if taken.default is taken.empty}
    if missing := sorted(map(str, OmegaConf.missing_keys(cfg) | (wanted - cfg.keys()))):
        raise ValueError(f"Expected a value for {', '.join(missing)}. Pass {missing[0]}=...")
    plain = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _check_types(hints: dict[str, Any], arguments: dict[str, Any], prefix: str) -> None:
    """Compare plain values with the annotations of what takes them, `_target_`s included."""
    for key, value in arguments.items():
        if key in hints and not fits(value, hints[key]):
            raise WrongType(f"{prefix}{key}", value, hints[key])
    for key, value in arguments.items():
        nodes = [(f"{prefix}{key}.", value), *_children(value, f"{prefix}{key}.")]
        for place, node in nodes:
            if isinstance(node, dict) and str(node.get("_target_")).startswith("sketch2paint."):
                plain = {name: item for name, item in node.items() if name != "_target_"}
                target = _target(node["_target_"])
                init = target.__init__ if inspect.isclass(target) else target
                if unknown := plain.keys() - inspect.signature(init).parameters.keys():
                    raise UnknownKey(f"{place}{sorted(unknown)[0]}")
                _check_types(get_type_hints(init), plain, place)


def _children(value: Any, prefix: str) -> list[tuple[str, Any]]:
    """The mappings inside a mapping that is not itself built: callbacks."""
    if not isinstance(value, dict) or "_target_" in value:
        return []
    return [(f"{prefix}{name}.", item) for name, item in value.items()]


def build(node: Any, **given: Any) -> Any:
    """Build what mappings of the configuration name in `_target_`, the inner ones first.

    Hydra's own `instantiate` would look up what stands in strings once more.

    Args:
        node: Plain data.
        given: Further keyword arguments of the outermost.

    Raises:
        ValueError: there is no such target.
    """
    if isinstance(node, list):
        return [build(item) for item in node]
    if not isinstance(node, dict):
        return node
    arguments = {key: build(item) for key, item in node.items() if key != "_target_"}
    return _target(node["_target_"])(**arguments, **given) if "_target_" in node else arguments


def _target(path: object) -> Any:
    try:
        found = locate(str(path))
    except ErrorDuringImport as error:
        raise ValueError(f"Expected a `_target_` that can be imported, got {error}.") from error
    if not callable(found):
        raise ValueError(
            f"Expected `_target_` to be a class or function that is installed, got {path}."
        )
    return found


def _unexpected(error: BaseException, words: list[str]) -> str | None:
    """The key among the words that became a keyword which nothing takes."""
    keyword = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    keys = [word.lstrip("+").partition("=")[0] for word in words]
    ours = [key for key in keys if keyword and key.rpartition(".")[2] == keyword[1]]
    return ours[0] if ours and isinstance(error, TypeError) else None


def _told(error: BaseException) -> str:
    """The message of an error whose message is meant for the user, or nothing."""
    if isinstance(error, OSError) and error.filename is not None and error.filename2 is None:
        way_out = ". Free space on that disk, then start again." if error.errno in FULL else ""
        return f"{error.filename}: {error.strerror}{way_out}"
    memory = type(error).__name__ == "OutOfMemoryError"
    hint = "\nPass half of the batch size, or a smaller size." if memory else ""
    expected = isinstance(error, (ValueError, OSError))
    return f"{error}{hint}" if expected or _is_known(error) else ""


def _is_known(error: BaseException) -> bool:
    """Errors of other libraries whose message is meant for the user."""
    names = {"MisconfigurationException", "OutOfMemoryError"}
    return any(cls.__name__ in names for cls in type(error).__mro__)
