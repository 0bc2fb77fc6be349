"""An npz file that claims more than it holds."""

import zipfile
from pathlib import Path


def claiming(path: Path, name: str) -> Path:
    """Write the header of an array of 65 TiB, without the array."""
    header = b"\x93NUMPY\x01\x00"
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 9000000), }"
    text += b" " * (118 - len(text) - 1) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.npy", header + len(text).to_bytes(2, "little") + text)
    return path
