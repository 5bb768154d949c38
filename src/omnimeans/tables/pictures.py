"""Pictures: each pixel is a row of red, green and blue (or grey), from 0 to 255."""

from __future__ import annotations

import io

import numpy as np

from omnimeans._optional import need
from omnimeans.tables.source import Source
from omnimeans.tables.table import Array, BadTable, Slice, Table
from omnimeans.tables.text import Reading

CHANNELS = {
    "L": ("grey",),
    "LA": ("grey", "alpha"),
    "RGB": ("red", "green", "blue"),
    "RGBA": ("red", "green", "blue", "alpha"),
}
ALPHA = "alpha"


def read_picture(source: Source, reading: Reading) -> Table:
    """Return the pixels of a picture, row by row.

    Parameters
    ----------
    source : Source
        The bytes of a PNG, JPEG, TIFF, WebP, GIF or BMP file.
    reading : Reading
        What is known about them.

    Returns
    -------
    Table
        A row of one byte per channel for each pixel, with the picture's height and width.

    Raises
    ------
    BadTable
        If the picture cannot be read.

    Examples
    --------
    >>> from PIL import Image
    >>> sink = io.BytesIO()
    >>> Image.new("RGB", (3, 2), "red").save(sink, "PNG")
    >>> read_picture(Source("a.png", sink.getvalue(), ".png"), Reading()).picture
    (2, 3)
    """
    images = need("PIL.Image", extra="io")
    try:
        with images.open(io.BytesIO(source.data)) as image:
            turned = need("PIL.ImageOps", extra="io").exif_transpose(image)
            clear = turned.has_transparency_data
            grey = turned.mode in ("1", "L", "LA", "I", "I;16", "F")
            pixels = np.asarray(turned.convert(("L" if grey else "RGB") + ("A" if clear else "")))
    except Exception as error:  # Pillow's plugins raise what they like on a damaged file
        raise BadTable(f"{source.name} cannot be read as a picture: {error}") from None
    height, width = pixels.shape[:2]
    matrix = pixels.reshape(height * width, -1)
    names = next(names for names in CHANNELS.values() if len(names) == matrix.shape[1])
    columns = tuple(Slice(matrix, j) for j in range(matrix.shape[1]))
    return Table(source.name, names, columns, picture=(height, width))


def write_picture(colours: Array, picture: tuple[int, int], format: str) -> bytes:
    """Return a picture whose pixels have these colours.

    Parameters
    ----------
    colours : ndarray of shape (height * width, channels)
        Values from 0 to 255; 1 to 4 channels.
    picture : tuple of int
        Height and width.
    format : str
        A name that Pillow knows, such as ``"PNG"``.

    Returns
    -------
    bytes
        The file.

    Examples
    --------
    >>> write_picture(np.zeros((6, 3)), (2, 3), "PNG")[1:4]
    b'PNG'
    """
    images = need("PIL.Image", extra="io")
    pixels = np.clip(np.rint(colours), 0, 255).astype(np.uint8)
    mode = list(CHANNELS)[pixels.shape[1] - 1]
    shaped = pixels.reshape(*picture, -1)
    image = images.fromarray(shaped[:, :, 0] if mode == "L" else shaped, mode=None)
    if format == "JPEG" and mode in ("LA", "RGBA"):
        image = image.convert(mode[:-1])
    sink = io.BytesIO()
    image.save(sink, format)
    return sink.getvalue()
