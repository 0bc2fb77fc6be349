"""Sets of images: found or fetched, verified, refused by name, split."""

import gzip
import hashlib
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pooch
import pytest

from empirical.data import Split, cache, fashion_mnist, mnist
from empirical.data.images import fixed_split
from tests.empirical.idx_files import ARRAYS, FILES, SPECS, Server, idx_bytes, serving, tiny

DATA = Path(
    os.environ.get("SPARSEBOUND_DATA", Path(__file__).parents[2].parent / "shared" / "data")
)
NAME = "train-labels"  # the file that tests change


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the tiny set, not yet made."""
    monkeypatch.setenv("SPARSEBOUND_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "tiny"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as local:
        yield local


def filled(folder: Path, *, packed: bool) -> Path:
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (folder / name).write_bytes(data)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_split(split: Split) -> None:
    X = ARRAYS["train-images"].reshape(7, 6) / 255
    y = ARRAYS["train-labels"]
    expected = [(X[:5], y[:5]), (X[5:], y[5:])]
    expected += [(ARRAYS["test-images"].reshape(4, 6) / 255, ARRAYS["test-labels"])]
    for part, (pixels, labels) in zip(split, expected, strict=True):
        assert part.X.dtype == np.float32
        assert part.y.dtype == np.intp
        assert (pixels.astype(np.float32) == part.X).all()
        assert (part.y == labels).all()


@pytest.mark.parametrize("packed", [True, False])
def test_fixed_split_reads_what_is_there_and_asks_no_mirror(folder: Path, packed: bool) -> None:
    before = contents(filled(folder, packed=packed))
    assert_split(fixed_split(tiny()))
    assert contents(folder) == before


def test_fixed_split_shares_the_memory_of_training_and_validation(folder: Path) -> None:
    filled(folder, packed=False)
    split = fixed_split(tiny())
    assert split.train.X.base is split.validation.X.base is not None


def test_fixed_split_fetches_once_and_keeps_what_is_verified(folder: Path, server: Server) -> None:
    mirror = server.give("good")
    assert_split(fixed_split(tiny(mirror)))
    assert contents(folder) == FILES
    assert sorted(server.asked) == sorted(server.pages)
    assert_split(fixed_split(tiny(mirror)))
    assert len(server.asked) == len(FILES)


def test_fixed_split_tries_mirrors_in_turn(folder: Path, server: Server) -> None:
    other = gzip.compress(idx_bytes(np.zeros((7, 3, 2))))
    mirrors = [
        "http://127.0.0.1:9/",  # where nothing listens
        f"{server.address}/absent/",
        server.give("cut", lambda data: data[:-9]),
        server.give("other", lambda _: other),
        server.give("page", lambda _: b"<html>moved</html>"),
        server.give("good"),
        server.give("never"),
    ]
    assert_split(fixed_split(tiny(*mirrors)))
    assert contents(folder) == FILES
    assert [path.split("/")[1] for path in server.asked[:5]] == [
        *("absent", "cut", "other", "page", "good"),
    ]
    assert not any(path.startswith("/never") for path in server.asked)


def test_fixed_split_takes_what_was_decompressed_on_the_way(folder: Path, server: Server) -> None:
    mirror = server.give("good")
    server.encoded.update(server.pages)
    assert_split(fixed_split(tiny(mirror)))
    assert contents(folder) == FILES


def test_fixed_split_lists_the_mirrors_that_failed(folder: Path, server: Server) -> None:
    mirrors = [f"{server.address}/absent/", server.give("cut", lambda data: data[:-9])]
    with pytest.raises(ConnectionError) as refusal:
        fixed_split(tiny(*mirrors))
    message = str(refusal.value)
    assert message.startswith("train-images must come from one of its mirrors, or be put into ")
    assert str(folder) in message
    for mirror, problem in zip(mirrors, ("404", "must be a whole gzip file"), strict=True):
        assert any(
            f"{mirror}train-images.gz: " in ln and problem in ln for ln in message.split("\n")
        )
    assert contents(folder) == {}


def test_fixed_split_that_is_interrupted_leaves_nothing_half_written(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrors = [server.give("good"), server.give("second")]

    def interrupted(_: int) -> None:
        (part,) = folder.iterdir()
        assert part.name not in FILES
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fixed_split(tiny(*mirrors))
    assert contents(folder) == {}


def test_fixed_split_blames_no_mirror_for_a_full_disk(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        fixed_split(tiny(server.give("good"), server.give("second")))
    assert contents(folder) == {}
    assert len(server.asked) == 1


def test_fixed_split_finds_a_folder_that_cannot_be_written_before_it_fetches(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = server.give("good")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        with pytest.raises(PermissionError, match="tiny must be a folder that you may write to"):
            fixed_split(tiny(mirror))
    folder.rmdir()
    folder.write_text("a file")
    with pytest.raises(FileExistsError, match="tiny"):
        fixed_split(tiny(mirror))
    assert server.asked == []


def labels(*values: int) -> bytes:
    return idx_bytes(np.array(values))


GOOD = FILES[NAME]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (labels(9, 1, 2, 3, 4, 0, 5), f"must have the sha256 {SPECS[NAME].sha256}, decompressed"),
        (labels(9, 1, 2, 10, 4, 11, 6), r"must hold values in 0\.\.9; got 10 at index 3"),
        (labels(9, 1, 2), r"must hold an array of shape \(7,\); got \(3,\)"),
        (GOOD[:-1], r"must hold 15 bytes, decompressed; it is cut off after 14\."),
        (GOOD[:6], r"cut off after 6\."),
        (GOOD + b"\0", r"must hold 15 bytes, decompressed; it is longer\."),
        (b"", "in 1 axes, which begins with 00000801; it begins with nothing"),
        (FILES["train-images"], "begins with 00000801; it begins with 00000803"),
        (b"\0\0\x0b\x01" + GOOD[4:], "unsigned bytes .* it begins with 00000b01"),
        (b"<!DOCTYPE html>", "it begins with 3c21444f"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_fixed_split_refuses_other_files_by_name_and_leaves_them(
    data: bytes, message: str, packed: bool, folder: Path
) -> None:
    filled(folder, packed=packed)
    name = f"{NAME}.gz" if packed else NAME
    (folder / name).write_bytes(gzip.compress(data) if packed else data)
    before = contents(folder)
    with pytest.raises(ValueError, match=f"tiny/{name} must .*{message[5:]}"):
        fixed_split(tiny("http://127.0.0.1:9/"))
    assert contents(folder) == before


@pytest.mark.parametrize(
    "change", [lambda data: data[:-9], lambda data: data[:-8] + bytes(8), lambda data: data[:5]]
)
def test_fixed_split_refuses_damaged_gzip_by_name(change: Any, folder: Path) -> None:
    path = filled(folder, packed=True) / f"{NAME}.gz"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=rf"tiny/{NAME}\.gz must be a whole gzip file: "):
        fixed_split(tiny())


def test_fixed_split_decompresses_no_more_than_it_needs(folder: Path) -> None:
    path = filled(folder, packed=True) / f"{NAME}.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(1 << 24)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="it is longer"):
        fixed_split(tiny())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20  # some buffers, beside 16 MiB


def test_data_folder_is_the_users_cache_unless_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / project)
    for unset in (None, ""):
        monkeypatch.delenv("SPARSEBOUND_DATA", raising=False)
        if unset is not None:
            monkeypatch.setenv("SPARSEBOUND_DATA", unset)
        assert cache.data_folder("mnist") == tmp_path / "sparsebound" / "mnist"
    monkeypatch.setenv("SPARSEBOUND_DATA", "~/data")
    assert cache.data_folder("mnist") == Path.home() / "data" / "mnist"


def pixels(*parts: Any) -> bytes:
    """Return inputs as the file of images that they were."""
    rows = [np.rint(part.X * 255).astype(np.uint8) for part in parts]
    return idx_bytes(np.concatenate(rows).reshape(-1, 28, 28))


# md5 of the files as LeCun et al. published them, decompressed.
TRAIN, TEST = "6bbc9ace898e44ae57da46a324031adb", "2646ac647ad5339dbf082846283269ea"


@pytest.mark.skipif(not (DATA / "mnist").exists(), reason=f"no MNIST in {DATA}")
def test_mnist_is_as_published_in_its_fixed_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARSEBOUND_DATA", str(DATA))
    split = mnist()
    assert [len(part.y) for part in split] == [50_000, 10_000, 10_000]
    assert hashlib.md5(pixels(split.train, split.validation)).hexdigest() == TRAIN
    assert hashlib.md5(pixels(split.test)).hexdigest() == TEST
    counts = np.bincount(split.test.y).tolist()
    assert counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert all((part.X.min(), part.X.max()) == (0, 1) for part in split)


@pytest.mark.skipif(not (DATA / "fashion-mnist").exists(), reason=f"no Fashion-MNIST in {DATA}")
def test_fashion_mnist_has_as_many_images_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARSEBOUND_DATA", str(DATA))
    split = fashion_mnist()
    official = np.concatenate([split.train.y, split.validation.y])
    assert np.bincount(official).tolist() == [6000] * 10
    assert np.bincount(split.test.y).tolist() == [1000] * 10
    assert split.test.X.shape == (10_000, 784)
