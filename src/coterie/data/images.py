"""A folder of images of any kind and size as one array."""

from __future__ import annotations

import warnings
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from coterie.data.arrays import checked_image_shape
from coterie.data.imagefiles import ENDINGS, find_images
from coterie.data.table import MissingColumn, Table
from coterie.errors import DataWarning, InputError, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")  # named, so that no rarer decoder ever sees a file
_MOST_PIXELS = 89_478_485  # Pillow's own limit, kept even where a program has lifted that one
_ORIENTATION, _SIDEWAYS = 0x0112, (5, 6, 7, 8)  # Exif tag, and the values that swap height and width
_GREY, _DEEP = frozenset({"1", "L", "LA", "La"}), frozenset({"I", "F"})
_COLOURS, _COLOUR_DIMS = 3, 4
_SIXTEEN_BITS, _BYTE_STEP = 65_535, 257
_LISTED = 10
_BLOCK = 1 << 24
_GREY_ENOUGH = 2  # channels this close are equal but for the rounding of JPEG


_T = TypeVar("_T")


class _Header(NamedTuple):
    height: int
    width: int
    grey: bool
    deep: bool  # more than 8 bits a pixel


class _Target(NamedTuple):
    """What all images become."""

    height: int
    width: int
    mode: str  # Pillow's "L", "RGB" or "F"


def load_folder(
    folder: Path,
    *,
    strict: bool = False,
    column: str | int | None = None,
    image_shape: Sequence[int] | None = None,
    max_side: int = 64,
    deep: bool | None = None,
) -> Table:
    """Read every image in a folder and its subfolders, sorted by path.

    Images are turned upright as their Exif data say; of an animation the first frame is taken; transparency is laid on
    white. The set is grey if every image is (also if stored in colour), else colour. Images of another size are
    stretched to that of the set. A set of which every image has more than 8 bits a pixel keeps its values, as float32;
    16-bit images among 8-bit ones are brought to 8 bits. Hidden files, links to folders and files without the ending
    of an image are passed over.

    Parameters
    ----------
    folder : Path
        An existing folder.
    strict : bool, default=False
        Refuse the folder if an image cannot be read.
    column : str or int or None, default=None
        "folder" takes the first subfolder of each image as its label.
    image_shape : (H, W) or (H, W, C) or None, default=None
        Size and channels (1 or 3); None lets the images decide.
    max_side : int, default=64
        Largest side in pixels where the images decide.
    deep : bool or None, default=None
        Depth of grey images in the result: True scales 8-bit ones up to 16 bits, False scales deeper ones down to 8;
        give what the fitted images had. None decides by the images: deep if all of them are.

    Returns
    -------
    Table
        With rows of shape (n, H, W) or (n, H, W, 3), uint8 (or float32), and file names with "/" between folders.

    Raises
    ------
    InputError
        If no image can be read, or one cannot and `strict` is set.

    Warns
    -----
    DataWarning
        If images could not be read; it names the first ten, the table's `skipped` has them all. If there are files of
        pictures that cannot be read here, such as .heic.
    """
    if column not in (None, "folder"):
        raise MissingColumn(f"A folder of images has no column {column!r}: pass 'folder', or the labels in a file.")
    files = find_images(folder)
    if not files:
        raise InputError(f"The folder {str(folder)!r} holds no images ({', '.join(sorted(ENDINGS))}).")
    skipped: dict[str, str] = {}
    X, kept = _read_all(files, lambda headers: _choose_target(headers, image_shape, max_side, deep=deep), skipped)
    if skipped:
        _report(skipped, len(files), folder, refuse=strict or not kept)
    X = _collapse(X) if image_shape is None else X.reshape(len(X), *image_shape)
    y = np.array([name.split("/")[0] if "/" in name else "." for name in kept]) if column else None
    return Table(X=X, names=kept, y=y, y_name="folder" if column else None, skipped=tuple(skipped.items()))


def _read_all(
    files: dict[str, Path], choose: Callable[[list[_Header]], _Target], skipped: dict[str, str]
) -> tuple[np.ndarray, list[str]]:
    """Read headers, agree on size and colour, then decode; what fails goes to `skipped`."""
    headers: dict[str, _Header] = {}
    for name, path in files.items():
        header = _attempt(_probe, path, name=name, skipped=skipped)
        if header is not None:
            headers[name] = header
    if not headers:
        return np.empty(0), []
    target = choose(list(headers.values()))
    X = np.empty((len(headers), *_shape(target)), dtype=np.float32 if target.mode == "F" else np.uint8)
    kept: list[str] = []
    for name in headers:
        pixels = _attempt(lambda path: _decode(path, target), files[name], name=name, skipped=skipped)
        if pixels is not None:
            X[len(kept)] = pixels
            kept.append(name)
    return X[: len(kept)], kept


def _attempt(read: Callable[[Path], _T], path: Path, *, name: str, skipped: dict[str, str]) -> _T | None:
    try:
        return read(path)
    except Exception as error:  # decoders meet damaged files with errors of every class
        skipped[name] = _reason(error)
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no image of a known format"
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"more than {_MOST_PIXELS:,} pixels"
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    if not path.is_file():
        raise OSError("not a regular file")
    if path.stat().st_size == 0:
        raise OSError("the file is empty")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # A file, not a path: Pillow maps uncompressed TIFF files given by path, and garbles those stored sideways.
        with path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise Image.DecompressionBombError
            yield image


def _probe(path: Path) -> _Header:
    with _opened(path) as image:
        height, width = image.height, image.width
        # Pillow itself swaps the sides of TIFF. Asking a PNG for Exif data would decode it, unless they come first.
        told = image.format in ("JPEG", "MPO", "WEBP") or "exif" in image.info
        if told and image.getexif().get(_ORIENTATION) in _SIDEWAYS:
            height, width = width, height
        deep = _is_deep(image)
        return _Header(height, width, grey=deep or image.mode in _GREY, deep=deep)


def _is_deep(image: Image.Image) -> bool:
    return image.mode in _DEEP or image.mode.startswith("I;")


def _choose_target(
    headers: list[_Header], image_shape: Sequence[int] | None, max_side: int, *, deep: bool | None
) -> _Target:
    if image_shape is not None:
        height, width, channels = (*checked_image_shape(image_shape), 1)[:3]
        if channels not in (1, _COLOURS):
            raise InputError(
                f"Images from files have 1 or 3 channels. Got the image_shape {tuple(image_shape)} instead."
            )
        grey = channels == 1
    else:
        (height, width), votes = Counter((h.height, h.width) for h in headers).most_common(1)[0]
        if 2 * votes < len(headers):
            height, width = np.median([(h.height, h.width) for h in headers], axis=0).tolist()
        shrink = min(1.0, max_side / max(height, width))
        height, width = (max(1, round(side * shrink)) for side in (height, width))
        grey = all(header.grey for header in headers)
    if deep is None:
        deep = all(header.deep for header in headers)
    return _Target(height, width, "F" if grey and deep else "L" if grey else "RGB")


def _shape(target: _Target) -> tuple[int, ...]:
    sides = (target.height, target.width)
    return (*sides, _COLOURS) if target.mode == "RGB" else sides


def _decode(path: Path, target: _Target) -> np.ndarray:
    with _opened(path) as image:
        side = 2 * max(target.height, target.width)
        image.draft(None, (side, side))  # lets JPEG leave out detail that the resizing would drop
        picture = ImageOps.exif_transpose(image)
        # Colours become grey after the resizing, as those of a whole folder do that turns out to have none.
        grey = picture.mode in _GREY or _is_deep(picture)
        picture = _as_mode(picture, "RGB" if target.mode == "L" and not grey else target.mode)
        if picture.size != (target.width, target.height):
            picture = picture.resize((target.width, target.height), Image.Resampling.BILINEAR)
        return np.asarray(_as_mode(picture, target.mode))


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I;"):
        image = image.convert("I")
    if mode == "F":
        if image.mode in ("I", "F"):
            return image.convert("F")
        return _as_mode(image, "L").convert("F").point(lambda value: value * _BYTE_STEP)
    if image.mode == "F":
        raise OSError("floating-point pixels among images of 8 bits")
    if image.mode == "I":
        # By hand, since Pillow's own conversion cuts at 255 where it should divide.
        image = Image.fromarray((np.asarray(image).clip(0, _SIXTEEN_BITS) // _BYTE_STEP).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode == mode else image.convert("RGB").convert(mode)


def _collapse(X: np.ndarray) -> np.ndarray:
    """Make colour images grey if none has any colour."""
    if X.ndim < _COLOUR_DIMS:
        return X
    for rows in np.array_split(X, max(1, X.nbytes // _BLOCK)):
        low, high = rows.min(axis=-1), rows.max(axis=-1)
        if (high - low).max() > _GREY_ENOUGH:
            return X
    return np.stack([np.asarray(Image.fromarray(x).convert("L")) for x in X])


def _report(skipped: dict[str, str], total: int, folder: Path, *, refuse: bool) -> None:
    reasons = [f"{name!r} ({reason})" for name, reason in list(skipped.items())[:_LISTED]]
    more = f" and {len(skipped) - _LISTED} more" if len(skipped) > _LISTED else ""
    listing = f"{', '.join(reasons)}{more}"
    if refuse:
        raise InputError(f"{len(skipped)} of {total} images in {str(folder)!r} cannot be read: {listing}.")
    message = f"Left out {len(skipped)} of {total} images that cannot be read: {listing}."
    warn(message, DataWarning)
