"""The shipped data sets: contents, scaling, the search for them, and what is said when one is damaged."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gdgrade.data import SMALL, DataError, find_small, load
from gdgrade.data.content import content_sha256, read_small
from gdgrade.data.scaling import scale_pixels

REPOSITORY = Path(__file__).parents[3]
DATA = REPOSITORY / "data"


@pytest.mark.parametrize("name", SMALL)
def test_shipped_file_is_the_published_one(name):
    """Each file in data/ has the checksum in the catalogue, and SOURCES.md states the same."""
    assert content_sha256(read_small(name, DATA)) == SMALL[name].content_sha256
    assert SMALL[name].content_sha256 in (DATA / "SOURCES.md").read_text()


@pytest.mark.parametrize("name", ["mnist-small", "fashion-small"])
def test_pictures_are_balanced_prefix_by_prefix(name):
    """The classes take turns, so the first 10 k pictures hold k of each class."""
    data = load(name, scaling="raw", folder=DATA)
    assert data["x_train"].shape == (6000, 28, 28)
    assert data["x_test"].shape == (1000, 28, 28)
    assert np.array_equal(data["y_train"], np.tile(np.arange(10), 600))
    assert np.array_equal(data["y_test"], np.tile(np.arange(10), 100))
    assert len(set(data["train_index"])) == 6000


def test_molecules_keep_their_units_and_split():
    """Positions are zero exactly past the last atom, and the parts follow is_test."""
    data = load("molecules-small", folder=DATA)
    present = data["atomic_numbers"] > 0
    assert np.array_equal(present.sum(1), data["n_atoms"])
    assert not data["positions"][~present].any()
    train, test = (load("molecules-small", part=part, folder=DATA) for part in ("train", "test"))
    assert (len(train["smiles"]), len(test["smiles"])) == (4503, 497)
    assert set(test["qm9_index"] % 10) == {0}


def test_scalings_cover_their_ranges():
    """Black and white map to the ends of each range; the grey values stay in order."""
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert scale_pixels(pixels, "raw") is pixels
    for scaling, low, high in (("unit", 0, 1), ("symmetric", -1, 1), ("binary", 0, 1)):
        scaled = scale_pixels(pixels, scaling)
        assert scaled.dtype == np.float32
        assert (scaled.min(), scaled.max()) == (low, high)
        assert (np.diff(scaled.ravel()) >= 0).all()
    assert scale_pixels(pixels, "binary").sum() == 128


@pytest.mark.parametrize("make", [np.random.default_rng, lambda seed: torch.Generator().manual_seed(seed)])
def test_dynamic_binarisation_has_the_grey_value_as_its_mean(make):
    """Each draw is 0 or 1; black and white are certain; the mean over draws is the pixel."""
    pixels = np.array([0, 51, 204, 255], np.uint8)
    generator = make(3)
    draws = np.stack([scale_pixels(pixels, "binary", generator) for _ in range(4000)])
    assert set(np.unique(draws)) == {0.0, 1.0}
    assert not draws[:, 0].any()
    assert draws[:, 3].all()
    assert draws[:, 1:3].mean(0) == pytest.approx([0.2, 0.8], abs=6 * 0.4 / 4000**0.5)
    assert np.array_equal(scale_pixels(pixels, "binary", make(7)), scale_pixels(pixels, "binary", make(7)))


def test_tensors_have_the_default_dtype_and_integer_labels(monkeypatch):
    """as_torch gives pictures in torch's default dtype, int64 labels, and leaves text as it is."""
    for dtype in (torch.float32, torch.float64):
        monkeypatch.setattr(torch, "get_default_dtype", lambda dtype=dtype: dtype)
        data = load("mnist-small", as_torch=True, part="test", folder=DATA)
        assert data["x"].dtype == dtype
        assert data["y"].dtype == torch.int64
    raw = load("mnist-small", as_torch=True, part="test", scaling="raw", folder=DATA)
    assert raw["x"].dtype == torch.uint8
    molecules = load("molecules-small", as_torch=True, folder=DATA)
    assert molecules["atomic_numbers"].dtype == torch.int64
    assert molecules["is_test"].dtype == torch.bool
    assert isinstance(molecules["smiles"], np.ndarray)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"name": "mnist-small", "scaling": "percent"}, "'percent'"),
        ({"name": "mnist-small", "part": "valid"}, "'valid'"),
        ({"name": "mnist-small", "generator": np.random.default_rng(0)}, "draws nothing"),
        ({"name": "molecules-small", "scaling": "unit"}, "angstrom"),
    ],
)
def test_wrong_arguments_are_named(arguments, word):
    """A wrong argument is a ValueError that quotes it."""
    with pytest.raises(ValueError, match=word):
        load(**arguments, folder=DATA)


def test_unknown_name_lists_the_known_ones():
    """A wrong name is answered with the right ones."""
    with pytest.raises(DataError, match=r"'mnist'.*mnist-small, fashion-small, molecules-small"):
        load("mnist")


def damaged(tmp_path, change):
    raw = bytearray((DATA / "mnist-small.npz").read_bytes())
    (tmp_path / "mnist-small.npz").write_bytes(change(raw))
    return tmp_path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw[: len(raw) // 2], "damaged and cannot be read"),
        (lambda raw: raw[:5000] + bytes(200) + raw[5200:], "damaged and cannot be read"),
        (lambda raw: b"", "damaged and cannot be read"),
        (lambda raw: b"<html>not found</html>", "damaged and cannot be read"),
    ],
    ids=["cut short", "overwritten inside", "empty", "a web page"],
)
def test_damaged_file_is_refused_with_the_fix(tmp_path, change, words):
    """A broken archive never gives arrays, and the message says how to get the file back."""
    with pytest.raises(DataError, match=words) as caught:
        load("mnist-small", folder=damaged(tmp_path, change))
    assert "Restore the file" in str(caught.value)


def test_bare_array_file_is_refused(tmp_path):
    """A .npy file under the name of an archive is refused, too."""
    with (tmp_path / "mnist-small.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match="damaged"):
        load("mnist-small", folder=tmp_path)


def test_one_changed_pixel_is_noticed(tmp_path):
    """A well-formed archive with other contents fails the checksum."""
    arrays = read_small("mnist-small", DATA)
    arrays["x_test"][0, 0, 0] += 1
    np.savez(tmp_path / "mnist-small.npz", **arrays)
    with pytest.raises(DataError, match="does not hold the published arrays"):
        load("mnist-small", folder=tmp_path)


def test_repacked_archive_is_accepted(tmp_path):
    """The zip layer does not matter: the same arrays, stored without compression, pass."""
    np.savez(tmp_path / "mnist-small.npz", **read_small("mnist-small", DATA))
    assert load("mnist-small", folder=tmp_path)["x_train"].shape == (6000, 28, 28)


def test_pickled_objects_are_never_loaded(tmp_path):
    """An archive with a pickle inside is refused, not executed."""
    np.savez(tmp_path / "mnist-small.npz", x_train=np.array([os.getcwd], dtype=object))
    with pytest.raises(DataError, match="allow_pickle"):
        load("mnist-small", folder=tmp_path)


def test_search_order(tmp_path, monkeypatch):
    """GDGRADE_DATA comes before the course folder, and that before what is installed."""
    course, other, elsewhere = tmp_path / "course", tmp_path / "other", tmp_path / "elsewhere"
    for folder in (course / "data", course / "exercises" / "ex01", other, elsewhere):
        folder.mkdir(parents=True)
    (course / "course.yml").write_text("")
    for folder in (course / "data", other):
        (folder / "mnist-small.npz").write_bytes(b"")
    monkeypatch.chdir(elsewhere)
    installed = find_small("mnist-small")
    monkeypatch.setenv("GDGRADE_COURSE", str(course / "course.yml"))
    assert find_small("mnist-small") == course / "data" / "mnist-small.npz"
    monkeypatch.delenv("GDGRADE_COURSE")
    monkeypatch.chdir(course / "exercises" / "ex01")
    assert find_small("mnist-small") == course / "data" / "mnist-small.npz"
    monkeypatch.setenv("GDGRADE_DATA", str(other))
    assert find_small("mnist-small") == other / "mnist-small.npz"
    assert find_small("fashion-small").parent == installed.parent, "a folder without the file is passed over"


def test_missing_file_names_the_places_searched(tmp_path):
    """Nothing found: the message lists the folders and the variable that helps."""
    with pytest.raises(DataError, match="GDGRADE_DATA") as caught:
        find_small("mnist-small", tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_importing_the_package_is_light():
    """The command line can import gdgrade.data and its commands without numpy or torch."""
    heavy = {"numpy", "torch", "pooch", "rich", "scipy"}
    code = f"import gdgrade.data.cli, gdgrade.data, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_arrays_do_not_need_torch(tmp_path):
    """Without torch the arrays load, and as_torch says what is missing."""
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    code = (
        "from gdgrade.data import load, DataError, toys\nimport numpy as np\n"
        "assert load('mnist-small')['x_train'].shape == (6000, 28, 28)\n"
        "toys.TwoMoons().log_prob(toys.ring().sample(5, np.random.default_rng(0)))\n"
        "try:\n    load('mnist-small', as_torch=True)\nexcept DataError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "GDGRADE_DATA": str(DATA)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stderr == ""
    assert "needs torch, which is not installed" in done.stdout
