"""Photos of members: whatever comes in becomes one small JPEG without where and when."""

from __future__ import annotations

import io
import secrets
import warnings
from pathlib import Path

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 40_000_000
"""Of a good phone; a larger one is refused before it is unpacked."""
LONGEST_SIDE = 640
QUALITY = 82


class NoPhoto(ValueError):
    """What came is no picture that is taken."""


def small_jpeg(data: bytes) -> bytes:
    """Upright, at most `LONGEST_SIDE` wide and high. Raises NoPhoto."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise NoPhoto(f"{opened.width} x {opened.height}")
                opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except NoPhoto:
        raise
    except Exception as broken:
        # Pillow tells of broken files in many ways: OSError, ValueError, SyntaxError, its own.
        raise NoPhoto(str(broken)) from broken
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # A picture of its own: nothing of the file that came goes along.
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def keep(folder: Path, jpeg: bytes) -> str:
    """Writes it under a name that tells nothing, which is returned."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{secrets.token_hex(16)}.jpg"
    file = folder / name
    file.touch(mode=0o600)
    file.write_bytes(jpeg)
    return name


def forget(folder: Path, name: str | None) -> None:
    """Deletes it; one that is gone already is fine."""
    if name:
        (folder / name).unlink(missing_ok=True)
