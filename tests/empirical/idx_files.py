"""A small set of images in IDX format, of which everything is known, and a server for it."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from empirical.data.idx import IdxFile
from empirical.data.images import ImageSet


def idx_bytes(array: Any) -> bytes:
    """Return an array of unsigned bytes in IDX format."""
    values = np.asarray(array, dtype=np.uint8)
    sides = b"".join(side.to_bytes(4, "big") for side in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sides + values.tobytes()


def spec(name: str, array: Any, largest: int = 255) -> IdxFile:
    digest = hashlib.sha256(idx_bytes(array)).hexdigest()
    return IdxFile(name, np.shape(array), digest, largest)


RNG = np.random.default_rng(0)
ARRAYS = {
    "train-images": RNG.integers(256, size=(7, 3, 2)),
    "train-labels": np.array([9, 1, 2, 3, 4, 0, 6]),
    "test-images": RNG.integers(256, size=(4, 3, 2)),
    "test-labels": np.array([0, 9, 5, 5]),
}
SPECS = {name: spec(name, array, 9 if "labels" in name else 255) for name, array in ARRAYS.items()}
FILES = {name: idx_bytes(array) for name, array in ARRAYS.items()}


def tiny(*mirrors: str) -> ImageSet:
    return ImageSet(
        "tiny",
        mirrors,
        (SPECS["train-images"], SPECS["train-labels"]),
        (SPECS["test-images"], SPECS["test-labels"]),
        held_out=2,
    )


class Server:
    """What a local server gives for each path, and what it was asked for."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, bytes] = {}
        self.encoded: set[str] = set()  # sent as compressed in transit
        self.asked: list[str] = []

    def give(self, folder: str, change: Any = lambda data: data) -> str:
        """Serve all files under a folder, each changed; return the folder's address."""
        for name, data in FILES.items():
            self.pages[f"/{folder}/{name}.gz"] = change(gzip.compress(data, mtime=0))
        return f"{self.address}/{folder}/"


@contextmanager
def serving() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            page = server.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(page or b"")))
            if self.path in server.encoded:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *_: Any) -> None:
            """Keep tests quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server = Server(f"http://127.0.0.1:{listener.server_port}")
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
