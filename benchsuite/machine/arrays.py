"""Arrays in .npz files, read no further than their headers where those promise too much."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchsuite.terms.errors import RecordError
from benchsuite.terms.printable import short
from benchsuite.terms.reading import MOST_RECORDED_BYTES, read_regular
from benchsuite.terms.said import Said, said

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.generic]

# A compressed array may be a thousand times as large as its file.
MOST_ARRAY_BYTES = 400_000_000


def read_arrays(path: Path, names: Sequence[str], sha256: str | None = None) -> Mapping[str, Array]:
    """Return named arrays of numbers or texts from a file, whose bytes have a digest where one is given.

    Raises OSError where the system refuses, and RecordError, with why alone, for what are not such arrays.
    """
    try:
        content = read_regular(path, MOST_RECORDED_BYTES)
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(said("its content is not what was recorded"))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: _array(archive, name) for name in names}
    except (OSError, MemoryError):
        raise
    except Exception as error:  # Whatever zipfile, zlib and NumPy make of a damaged file.
        raise RecordError(_why(error)) from None


def _array(archive: zipfile.ZipFile, name: str) -> Array:
    import numpy as np

    try:
        member = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise ValueError(said("it holds no {1}", name)) from None
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header: Any = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            raise ValueError(said("{1} is no array of numbers", name))
        shape, by_columns, kind = read_header(file)
        size = math.prod(shape) * kind.itemsize
        if kind.kind not in "biufU" or by_columns or not 0 <= size <= MOST_ARRAY_BYTES:
            raise ValueError(said("{1} is no array of numbers, or too large a one", name))
        # Not believed: an archive may say less of a member than it holds.
        content = file.read(size + 1)
    if len(content) != size:
        raise ValueError(said("{1} is not as long as it says", name))
    array: Array = np.frombuffer(content, kind).reshape(shape)
    return array


def _why(error: Exception) -> str:
    sentence = error.args[0] if error.args else ""
    # Those of libraries are in their own words, and may repeat what the file holds.
    return sentence if isinstance(sentence, Said) else short(str(error) or type(error).__name__)
