"""Unpack archives that come from elsewhere: no path leaves the folder, no link is made, no bomb goes off."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from modelport.errors import DownloadError, InvalidInputError, UnsafeArchiveError

__all__ = ["ArchiveLimits", "unpack"]

_CHUNK_BYTES = 1 << 20
_WINDOWS_NAMES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an archive may unpack to.

    Args:
        files: Entries, folders included.
        total_bytes: All files together.
        ratio: Unpacked size over packed size of the whole archive; judged from `ratio_from_bytes` on, since a
            small file of zeros packs very well and harms nobody.
    """

    files: int = 10_000
    total_bytes: int = 20 << 30
    ratio: float = 200.0
    ratio_from_bytes: int = 100 << 20


def unpack(archive: Path, folder: Path, limits: ArchiveLimits | None = None) -> list[Path]:
    """The paths of the files of a zip archive, unpacked into a folder that is made if need be.

    All or nothing: the files are unpacked beside their place first, so a refused or broken archive changes nothing.
    Files of the same name are replaced.

    Raises:
        InvalidInputError: The archive is not a zip file, or is broken.
        UnsafeArchiveError: It would write elsewhere or make links, or it is larger than the limits.
        DownloadError: The files cannot be written: disk full, no permission.
    """
    limits = limits or ArchiveLimits()
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = _checked(opened, limits)
            return _unpack(opened, entries, archive, folder, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InvalidInputError(f"{archive} is not a zip archive that can be read: {error}") from error
    except OSError as error:
        raise DownloadError(f"cannot unpack to {folder}: {error}", path=str(folder), errno=error.errno) from error


def _checked(opened: zipfile.ZipFile, limits: ArchiveLimits) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    infos = opened.infolist()
    if len(infos) > limits.files:
        raise UnsafeArchiveError(f"the archive has {len(infos)} entries; the limit is {limits.files}")
    total = sum(info.file_size for info in infos)
    if total > limits.total_bytes:
        raise UnsafeArchiveError(f"the archive unpacks to {total} bytes; the limit is {limits.total_bytes}")
    packed = sum(info.compress_size for info in infos)
    if total > limits.ratio_from_bytes and total > limits.ratio * max(packed, 1):
        raise UnsafeArchiveError(f"the archive unpacks from {packed} to {total} bytes, which no honest file does")
    entries = [(info, _checked_path(info)) for info in infos if not info.is_dir()]
    seen: set[str] = set()
    for info, path in entries:
        # Folded, since on some file systems A.csv and a.csv are one file.
        folded = str(path).casefold()
        if folded in seen:
            raise UnsafeArchiveError(f"the archive holds {info.filename!r} twice")
        seen.add(folded)
    return entries


def _checked_path(info: zipfile.ZipInfo) -> PurePosixPath:
    # orig_filename is the name as it stands; zipfile cuts the other one at a NUL.
    name = info.orig_filename
    path = PurePosixPath(name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise UnsafeArchiveError(f"the archive holds {name!r}, which is a link or a device")
    if info.flag_bits & 1:
        raise UnsafeArchiveError(f"the archive holds {name!r}, which is encrypted")
    unsafe = path.is_absolute() or ".." in path.parts or not path.parts
    unsafe = unsafe or any(character in "\\:\0" or ord(character) < ord(" ") for character in name)
    unsafe = unsafe or any(part.split(".")[0].lower() in _WINDOWS_NAMES for part in path.parts)
    if unsafe:
        raise UnsafeArchiveError(f"the archive holds {name!r}, which would be written outside its folder")
    return path


def _unpack(
    opened: zipfile.ZipFile,
    entries: list[tuple[zipfile.ZipInfo, PurePosixPath]],
    archive: Path,
    folder: Path,
    limits: ArchiveLimits,
) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    targets = [root / path for _, path in entries]
    for target in targets:
        # A link inside the folder, from before, must not lead out of it either.
        if target.is_symlink() or not target.parent.resolve().is_relative_to(root):
            raise UnsafeArchiveError(f"{target} is a link, or lies behind one, that leaves {folder}")
    with tempfile.TemporaryDirectory(prefix=f".{archive.stem}-", dir=root) as scratch:
        left = limits.total_bytes
        unpacked: list[Path] = []
        for info, path in entries:
            place = Path(scratch) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(info) as source, place.open("xb") as target_file:
                left = _copy(source, target_file, left)
            unpacked.append(place)
        for place, target in zip(unpacked, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise UnsafeArchiveError(f"{target} is a folder; the archive holds a file of that name")
            shutil.move(place, target)
    return [folder / path for _, path in entries]


def _copy(source: IO[bytes], target: IO[bytes], left: int) -> int:
    """Copy a file and return how many bytes are left of the limit: what an archive says of itself is not trusted."""
    while chunk := source.read(_CHUNK_BYTES):
        left -= len(chunk)
        if left < 0:
            raise UnsafeArchiveError("the archive unpacks to more bytes than it says")
        target.write(chunk)
    return left
