"""Which picture becomes which files: inputs, mirrored names, collisions, shares."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sketch2paint.arguments import one_of
from sketch2paint.images.formats import (
    SUFFIXES,
    Found,
    find_pictures,
    got_text,
    look_through,
    other_kind,
)

STDIO = Path("-")  # standard input or output
Format = Literal["auto", "png", "jpg", "webp"]
HINTS = ".hints"  # NAME.hints.png is what a person painted over NAME, no drawing
FORMAT_OF = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg", ".webp": "webp"}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One picture to paint.

    Attributes:
        source: File of the drawing, or - for standard input.
        name: Place below the input; the real picture is looked up by it.
        folder: Output folder, which no file of it may leave.
        suffix: Suffix of the picture, which tells its format.
        files: Files that it becomes, by kind: picture, and if asked for colours, layers, psd,
            compare; of several variations picture, 2, 3, ... and sheet.
        hints: File of the colours that a person gave for it.
        trouble: Reason why it cannot be painted, known before it is read.
    """

    source: Path
    name: Path
    folder: Path
    suffix: str
    files: dict[str, Path]
    hints: Path | None = None
    trouble: str | None = None

    @property
    def picture(self) -> Path:
        """Where the coloured picture goes."""
        return self.files["picture"]

    def missing(self) -> list[str]:
        """The kinds of files that are not there yet, or older than the hints."""
        return [kind for kind, path in self.files.items() if path == STDIO or self._is_old(path)]

    def _is_old(self, path: Path) -> bool:
        if not os.path.isfile(path):
            return True
        return self.hints is not None and _changed(path) < _changed(self.hints)

    def problem(self) -> str | None:
        """Why the files must not be written, as where a link or `..` leaves the output folder.

        A link inside may lead anywhere by the time of writing, also onto the input.
        """
        if self.trouble or self.picture == STDIO:
            return self.trouble
        place = _real(self.folder) / self.picture.relative_to(self.folder).parent
        real = _real(self.picture.parent)
        if real == place:
            return None
        return (
            f"{self.picture}: expected a place inside {self.folder}, got {real}. "
            "Remove the link in the output folder, or choose another `output`."
        )


def plan_jobs(
    inputs: Sequence[str],
    *,
    output: str,
    format: Format = "auto",
    layers: bool = False,
    psd: bool = False,
    compare: bool = False,
    variations: int = 1,
) -> list[Job]:
    """Decide what is painted and where it goes; nothing is written.

    Args:
        inputs: Pictures, folders (searched recursively), globs, or "-" for standard input.
        output: Folder in which the tree of each input is mirrored; for a single picture also a
            file name, or "-" for standard output.
        format: File format png | jpg | webp | auto, the suffix of a file name, else png.
        layers: Whether NAME.colours.png and NAME.ora are written too.
        psd: Whether NAME.psd is written too.
        compare: Whether NAME.compare.png is written too, input and output side by side.
        variations: Number of pictures for each; several are NAME.1.png, NAME.2.png and so on, and
            NAME.variations.png, all on a sheet.

    Returns:
        One job for each picture, in the order of the inputs, each file once. Pictures of one name
        but for the suffix keep it (a.png, a.jpg: a.png.png, a.jpg.png). A name that an earlier
        input has taken gets its own input's folder in front.

    Raises:
        FileNotFoundError: an input is missing.
        ValueError: no pictures, or no such format; `output` is no such place, an input, or would
            overwrite one.
    """
    one_of("format", format, Format)
    found = [_found(entry, Path(output)) for entry in inputs]
    sources = _named((root, looked.pictures) for root, looked in found)
    if not sources:
        raise ValueError(
            f"{', '.join(inputs) or 'input'}: no pictures. Expected sketches as .png, .jpg or "
            f".webp files{got_text(_others(looked for _, looked in found))}"
        )
    one = len(inputs) == 1 and list(sources.values()) in ([STDIO], [Path(inputs[0])])
    also = _also(layers, psd, compare)
    if variations > 1 and (also or output == "-"):
        raise ValueError(
            f"Expected no `layers`, `psd` or `compare` and no output=- with variations={variations}"
            ", which are pictures alone. Choose one of them first."
        )
    also |= _of_variations(variations)
    if output == "-" and (not one or also):
        asked = {"layers": layers, "psd": psd, "compare": compare}
        got = [f"input={', '.join(inputs)}", *(f"{key}=true" for key in asked if asked[key])]
        raise ValueError(
            "Expected one `input`, no `layers`, no `psd` and no `compare` with output=-, got "
            f"{', '.join(got)}. Pass a folder as `output`."
        )
    if one and (output == "-" or _is_file_name(output, FORMAT_OF)):
        jobs = [_to_file(*sources.popitem(), Path(output), format, also)]
    else:
        entries = zip(inputs, found, strict=True)
        roots = [root for entry, (root, _) in entries if not os.path.isfile(entry)]
        _check_folder(output, roots)
        jobs = _to_folder(sources, Path(output), format, also)
    _check_inputs_stay(jobs)
    return jobs


def left_out(inputs: Sequence[str], output: str) -> dict[Path, str]:
    """What looks like a picture among the inputs but is not painted, with words for its kind."""
    return _others(_found(entry, Path(output))[1] for entry in inputs)


def share_of(shard: str, environment: Mapping[str, str]) -> tuple[int, int]:
    """Which share of the jobs this process takes.

    Args:
        shard: Share as I/N, counted from 0, or auto: by RANK and WORLD_SIZE (torchrun) or
            SLURM_PROCID and SLURM_NTASKS (srun), else everything.
        environment: Variables such as os.environ.

    Returns:
        (index, count).

    Raises:
        ValueError: `shard` or the environment's numbers are no such thing.
    """
    if shard == "auto":
        shard = "0/1"
        # A batch script has SLURM's task variables too, but runs once: no step.
        alone = "SLURM_JOB_ID" in environment and "SLURM_STEP_ID" not in environment
        if "SLURM_PROCID" in environment and "SLURM_NTASKS" in environment and not alone:
            shard = f"{environment['SLURM_PROCID']}/{environment['SLURM_NTASKS']}"
        if "RANK" in environment and "WORLD_SIZE" in environment:
            shard = f"{environment['RANK']}/{environment['WORLD_SIZE']}"
    index, _, count = shard.partition("/")
    if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        raise ValueError(
            f"Expected `shard` to be auto or I/N with I from 0 to N-1, got {shard}. "
            "Pass shard=0/2 and shard=1/2 to two processes."
        )
    return int(index), int(count)


def find_reals(jobs: Iterable[Job], folder: Path) -> dict[Path, Path]:
    """Find the real picture of each job: the same name in a folder, whatever the suffix.

    Returns:
        Source to real picture.

    Raises:
        FileNotFoundError: a job has none.
    """
    there = {path.relative_to(folder).with_suffix(""): path for path in find_pictures(folder)}
    found = {}
    for job in jobs:
        name = job.name.with_suffix("")
        if name not in there:
            raise FileNotFoundError(
                f"{folder / job.name}: no true picture of that name for the gallery. Expected one "
                "for every sketch; leave out `truth`, or add it."
            )
        found[job.source] = there[name]
    return found


def _others(found: Iterable[Found]) -> dict[Path, str]:
    return {path: kind for looked in found for path, kind in looked.others.items()}


def _found(entry: str, output: Path) -> tuple[Path, Found]:
    """The folder that an input's names start from, and what is there."""
    path = Path(entry)
    if path == STDIO:
        return path, Found([path], {})
    if path.is_file():
        return path.parent, Found([path], {})
    if path.is_dir():
        root, found = path, look_through(path)
    elif any(sign in entry for sign in "*?["):
        root, found = _matched(path)
    else:
        raise FileNotFoundError(
            f"{entry}: no such file or folder. Pass input=FILE, input=DIR or input=GLOB."
        )
    drawings = [path for path in found.pictures if not path.stem.lower().endswith(HINTS)]
    found = Found(drawings, found.others)
    inside = _real(output)
    if _real(root) in inside.parents:  # pictures of an earlier run are no input

        def is_input(path: Path) -> bool:
            return inside not in (_real(path), *_real(path).parents)

        others = {path: kind for path, kind in found.others.items() if is_input(path)}
        found = Found(list(filter(is_input, found.pictures)), others)
    return root, found


def _matched(path: Path) -> tuple[Path, Found]:
    """The folder that a glob starts from, and the files that it matches.

    A name that is there is meant as it is, though it may have the signs of a glob.
    """
    there = [place for place in reversed(path.parents) if place.is_dir()]
    root, pattern = there[-1], str(path.relative_to(there[-1]))
    literal = pattern.replace("[", "[[]")  # Chapter [01] below a * is a name as well
    found = {file for text in {pattern, literal} for file in root.glob(text) if file.is_file()}
    shown = sorted(  # no links are followed by **, so none loops
        file
        for file in found
        if not any(part[0] == "." and part != ".." for part in file.relative_to(root).parts)
    )
    pictures = [file for file in shown if file.suffix.lower() in SUFFIXES]
    kinds = {file: other_kind(file) for file in shown if file not in set(pictures)}
    return root, Found(pictures, {file: kind for file, kind in kinds.items() if kind})


def _named(found: Iterable[tuple[Path, list[Path]]]) -> dict[Path, Path]:
    """Name to file, each file once; a taken name gets more and more of its folder in front."""
    named: dict[Path, Path] = {}
    seen: set[Path] = set()
    for root, paths in found:
        for path in paths:
            if _real(path) in seen:
                continue
            seen.add(_real(path))
            name = Path("stdin") if path == STDIO else path.relative_to(root)
            folders = list(_real(root).parts[1:])
            while name in named:
                name = Path(folders.pop() if folders else "again", name)
            named[name] = path
    return named


def _files(
    names: Sequence[Path], folder: Path, suffix: str, also: Mapping[str, str]
) -> dict[Path, dict[str, Path]]:
    """The files of each name; where two would share one, on some system, they keep their suffix."""
    files = {name: _kinds(folder / name.with_suffix(""), suffix, also) for name in names}
    full = set()
    while True:
        taken = Counter(_key(path) for kinds in files.values() for path in kinds.values())
        sharing = [
            name
            for name, kinds in files.items()
            if name not in full and any(taken[_key(path)] > 1 for path in kinds.values())
        ]
        if not sharing:
            return files
        for name in sharing:
            files[name] = _kinds(folder / name, suffix, also)
        full.update(sharing)


def _changed(path: Path) -> float:
    """When a file was written; 0 where it has gone since, which whoever reads it says."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _real(path: Path) -> Path:
    """As Path.resolve, but without an error where links loop."""
    return Path(os.path.realpath(path))


def _key(path: Path) -> str:
    return str(path).casefold()


def _also(layers: bool, psd: bool, compare: bool) -> dict[str, str]:
    """Endings of the files beside the picture, by kind."""
    endings: dict[str, str] = {}
    if layers:
        endings |= {"colours": ".colours.png", "layers": ".ora"}
    if psd:
        endings["psd"] = ".psd"
    if compare:
        endings["compare"] = ".compare.png"
    return endings


def _of_variations(count: int) -> dict[str, str]:
    """Endings of several variations by kind, {suffix} being the picture's; none of a single one."""
    if count < 2:
        return {}
    others = {str(number): f".{number}{{suffix}}" for number in range(2, count + 1)}
    return {"picture": ".1{suffix}", **others, "sheet": ".variations.png"}


def _kinds(base: Path, suffix: str, also: Mapping[str, str]) -> dict[str, Path]:
    endings = {"picture": "{suffix}", **also}
    return {
        kind: base.with_name(base.name + ending.replace("{suffix}", suffix))
        for kind, ending in endings.items()
    }


def _to_file(
    name: Path, source: Path, target: Path, format: Format, also: Mapping[str, str]
) -> Job:
    """The job of a single picture whose `output` is a file name or standard output."""
    if target == STDIO:
        suffix = ".png" if format == "auto" else f".{format}"
        files = {"picture": STDIO}
        return Job(source=source, name=name, folder=Path(), suffix=suffix, files=files)
    suffix = target.suffix.lower()
    if format not in ("auto", FORMAT_OF[suffix]):
        raise ValueError(
            f"{target}: expected its suffix and `format` to agree, got format={format}. "
            "Leave out `format`."
        )
    files = _kinds(target.with_suffix(""), suffix, also)
    if "sheet" not in also:
        files["picture"] = target
    return Job(source=source, name=name, folder=target.parent, suffix=suffix, files=files)


def _to_folder(
    sources: Mapping[Path, Path], folder: Path, format: Format, also: Mapping[str, str]
) -> list[Job]:
    """The jobs of named pictures whose `output` is a folder."""
    suffix = ".png" if format == "auto" else f".{format}"
    files = _files(list(sources), folder, suffix, also)
    return [
        Job(source=path, name=name, folder=folder, suffix=suffix, files=files[name])
        for name, path in sources.items()
    ]


def _is_file_name(output: str, suffixes: Container[str]) -> bool:
    """Whether an `output` is meant for a file, as its suffix says and no folder denies."""
    return Path(output).suffix.lower() in suffixes and not os.path.isdir(output)


def _check_folder(output: str, roots: Iterable[Path]) -> None:
    if _is_file_name(output, SUFFIXES):
        raise ValueError(
            f"{output}: expected a folder, or for a single picture a .png, .jpg or .webp "
            "file. Pass another `output`."
        )
    folder = Path(output)
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if there.exists() and not there.is_dir():
        raise ValueError(f"{there}: expected `output` to be a folder, got a file. Pass another.")
    if _real(folder) in {_real(root) for root in roots}:
        raise ValueError(
            f"{output}: expected `output` to be a folder other than the input. Pass another."
        )


def _check_inputs_stay(jobs: Iterable[Job]) -> None:
    inputs = {_real(job.source) for job in jobs if job.source != STDIO}
    for job in jobs:
        for path in job.files.values():
            if _real(path) in inputs:
                raise ValueError(
                    f"{path}: expected `output` to be another place than `input`, got one of its "
                    "pictures. Pass another."
                )
