"""Folders of images as they are found in the world."""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from coterie.data import load_file
from coterie.errors import DataWarning, InputError

RNG = np.random.default_rng(4)
GREY = RNG.integers(0, 256, (10, 8), dtype=np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **options)


def test_names_are_sorted_paths_and_rows_follow_them(tmp_path):
    shades = {"b.png": 10, "a/2.bmp": 20, "a/10.gif": 30, "zweiß\n\U0001f600.PNG": 40, "c.tif": 50}
    for name, shade in shades.items():
        save(tmp_path / name, np.full((6, 6), shade, np.uint8))
    (tmp_path / "readme.txt").write_text("no image")
    (tmp_path / "a" / "._2.png").write_bytes(b"a leaf that macOS left")
    table = load_file(tmp_path)
    assert table.names == sorted(shades)
    assert table.X.dtype == np.uint8 and table.X.shape == (5, 6, 6)
    assert table.X[:, 0, 0].tolist() == [shades[name] for name in table.names]
    assert table.skipped == () and table.y is None


def test_subfolders_as_labels(tmp_path):
    for name in ("cat/1.png", "cat/deep/2.png", "dog/1.png", "loose.png"):
        save(tmp_path / name, GREY)
    table = load_file(tmp_path, column="folder")
    assert table.y.tolist() == ["cat", "cat", "dog", "."] and table.y_name == "folder"
    with pytest.raises(InputError, match="has no column 'kind'"):
        load_file(tmp_path, column="kind")


def test_the_most_common_size_is_that_of_the_set(tmp_path):
    for i, size in enumerate([(10, 8), (10, 8), (20, 40)]):
        save(tmp_path / f"{i}.png", RNG.integers(0, 256, size, dtype=np.uint8))
    save(tmp_path / "0.png", GREY)
    table = load_file(tmp_path)
    assert table.X.shape == (3, 10, 8)
    np.testing.assert_array_equal(table.X[0], GREY)
    expected = np.asarray(Image.open(tmp_path / "2.png").resize((8, 10), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(table.X[2], expected)


def test_photos_of_many_sizes_come_down_to_64_pixels(tmp_path):
    for i, size in enumerate([(300, 400), (330, 440), (100, 200), (310, 500), (600, 800)]):
        save(tmp_path / f"{i}.jpg", np.full((*size, 3), (200, 30, 90), np.uint8), quality=95)
    table = load_file(tmp_path)
    assert table.X.shape == (5, 45, 64, 3)  # median 310 x 440
    assert np.abs(table.X.astype(int) - (200, 30, 90)).max() <= 4
    assert load_file(tmp_path, max_side=16).X.shape == (5, 11, 16, 3)


def test_a_given_shape_wins(tmp_path):
    save(tmp_path / "1.png", GREY)
    assert load_file(tmp_path, image_shape=(5, 4)).X.shape == (1, 5, 4)
    assert load_file(tmp_path, image_shape=(5, 4, 1)).X.shape == (1, 5, 4, 1)
    colour = load_file(tmp_path, image_shape=(10, 8, 3)).X
    np.testing.assert_array_equal(colour[0], np.stack([GREY] * 3, axis=-1))
    with pytest.raises(InputError, match="1 or 3 channels"):
        load_file(tmp_path, image_shape=(5, 4, 2))


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("1", "png"), ("L", "png"), ("LA", "png"), ("P", "gif"), ("RGB", "webp"), ("RGBA", "png"), ("CMYK", "tif")],
)
def test_grey_pictures_in_any_mode_are_grey(tmp_path, mode, ending):
    half = np.repeat(np.array([[0], [255]], np.uint8), 6, axis=0).repeat(10, axis=1)  # black above white
    options = {"lossless": True} if ending == "webp" else {}
    save(tmp_path / f"1.{ending}", Image.fromarray(half).convert(mode), **options)
    table = load_file(tmp_path)
    np.testing.assert_array_equal(table.X, half[None])


@pytest.mark.parametrize(("mode", "ending"), [("P", "png"), ("RGB", "bmp"), ("RGBA", "png"), ("CMYK", "jpg")])
def test_one_picture_in_colour_makes_the_set_colour(tmp_path, mode, ending):
    picture = Image.new("RGB", (8, 8), (250, 20, 30))
    options = {"quality": 100} if ending == "jpg" else {}
    picture = picture.convert(mode, palette=Image.Palette.ADAPTIVE)
    save(tmp_path / f"1.{ending}", picture, **options)
    save(tmp_path / "2.png", np.full((8, 8), 77, np.uint8))
    table = load_file(tmp_path)
    assert table.X.shape == (2, 8, 8, 3)
    assert np.abs(table.X[0].astype(int) - (250, 20, 30)).max() <= 3
    assert np.all(table.X[1] == 77)


def test_transparency_is_laid_on_white(tmp_path):
    drawn = np.zeros((4, 4, 4), np.uint8)  # black everywhere, seen in one corner only
    drawn[0, 0, 3] = 255
    save(tmp_path / "rgba.png", drawn)
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.putpixel((0, 0), 0)
    save(tmp_path / "palette.png", palette, transparency=1)
    for row in load_file(tmp_path).X:
        assert row[0, 0] == 0 and np.all(row.ravel()[1:] == 255)


def test_sixteen_bits_are_kept_or_brought_to_eight(tmp_path):
    deep = np.array([[0, 257], [4095, 65535]], np.uint16)
    save(tmp_path / "1.png", deep)
    save(tmp_path / "2.tif", Image.fromarray(deep.astype(np.float32)))
    table = load_file(tmp_path)
    assert table.X.dtype == np.float32
    np.testing.assert_array_equal(table.X, [deep, deep])
    save(tmp_path / "3.png", np.zeros((2, 2), np.uint8))
    with pytest.warns(DataWarning, match="'2.tif' .floating-point pixels among images of 8 bits"):
        table = load_file(tmp_path)
    assert table.X.dtype == np.uint8
    np.testing.assert_array_equal(table.X[0], [[0, 1], [15, 255]])


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("L", (5, 5), shade) for shade in (40, 90)]
    save(tmp_path / "1.gif", frames[0], save_all=True, append_images=frames[1:])
    assert np.all(load_file(tmp_path).X == 40)


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("jpg", {"quality": 100}),
        ("jpg", {"format": "MPO", "quality": 100}),
        ("png", {}),
        ("webp", {"lossless": True}),
        ("tif", {}),
        ("tif", {"compression": "tiff_lzw"}),
    ],
)
def test_images_are_turned_upright(tmp_path, ending, options):
    turned = np.zeros((20, 30), np.uint8)
    turned[:, :15] = 255  # white on the left; orientation 6 asks for a quarter turn to the right: white on top
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / f"1.{ending}", turned, exif=exif, **options)
    X = load_file(tmp_path, image_shape=(30, 20)).X
    assert X[0, :14].min() > 240 and X[0, 16:].max() < 15
    assert load_file(tmp_path).X.shape == (1, 30, 20)


def test_pictures_that_cannot_be_read_here_are_told(tmp_path):
    for name in ("a.png", "b.jfif"):
        save(tmp_path / name, GREY, format="PNG")
    (tmp_path / "a.ARW").write_bytes(b"which a.png was made from")
    for name in ("x.HEIC", "deep/y.heic", "z.avif", ".hidden.heic", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"pixels")
    with pytest.warns(DataWarning, match=r"^Passed over 3 pictures ending in .avif, .heic, which cannot be read here"):
        assert load_file(tmp_path).names == ["a.png", "b.jfif"]


def bomb(path, side):
    """Write a PNG that claims side x side pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def spoil(folder):
    """Write one good image and one of each kind of bad file; return the reason expected for each."""
    save(folder / "good.png", GREY)
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:70])
    (folder / "empty.jpg").touch()
    (folder / "text\n.gif").write_text("not a picture")
    (folder / "ring.png").symlink_to("ring.png")
    (folder / "gone.webp").symlink_to("nowhere.webp")
    os.mkfifo(folder / "pipe.bmp")
    (folder / "folder.png").mkdir()
    bomb(folder / "bomb.png", 9_500)
    bomb(folder / "huge.png", 30_000)
    return {
        "cut.png": "truncated",
        "empty.jpg": "the file is empty",
        "text\n.gif": "no image of a known format",
        "ring.png": "not a regular file",
        "gone.webp": "not a regular file",
        "pipe.bmp": "not a regular file",
        "bomb.png": "more than 89,478,485 pixels",
        "huge.png": "more than 89,478,485 pixels",
    }


@pytest.mark.timeout(60)
def test_corrupt_files_are_listed_and_left_out(tmp_path):
    reasons = spoil(tmp_path)
    with pytest.warns(DataWarning, match=r"Left out 8 of 9 images .*'text\\n\.gif' .*'cut\.png'") as caught:
        table = load_file(tmp_path)
    assert "\n" not in str(caught[0].message)
    assert table.names == ["good.png"] and np.array_equal(table.X[0], GREY)
    assert dict(table.skipped).keys() == reasons.keys()
    for name, reason in table.skipped:
        assert reasons[name] in reason
    with pytest.raises(InputError, match=r"8 of 9 images in .* cannot be read"):
        load_file(tmp_path, strict=True)


def test_pixel_limit_holds_where_pillow_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    save(tmp_path / "good.png", GREY)
    bomb(tmp_path / "bomb.png", 9_500)
    with pytest.warns(DataWarning, match="more than 89,478,485 pixels"):
        assert len(load_file(tmp_path)) == 1


def test_many_corrupt_files_are_counted(tmp_path):
    save(tmp_path / "good.png", GREY)
    for i in range(13):
        (tmp_path / f"{i:02}.png").touch()
    with pytest.warns(DataWarning, match=r"'09\.png' \(the file is empty\) and 3 more"):
        assert len(load_file(tmp_path).skipped) == 13


def test_links_to_folders_are_not_followed(tmp_path):
    save(tmp_path / "in" / "1.png", GREY)
    (tmp_path / "in" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert load_file(tmp_path).names == ["in/1.png"]


@pytest.mark.parametrize("content", [None, "notes.txt", "empty.png"])
def test_folders_without_images(tmp_path, content):
    if content:
        (tmp_path / content).touch()
    expected = "1 of 1 images in .* cannot be read" if content == "empty.png" else "holds no images"
    with pytest.raises(InputError, match=expected):
        load_file(tmp_path)


def test_names_that_are_no_utf8_can_be_written(tmp_path):
    folder = os.fsencode(tmp_path)
    for name in (b"\xff.png", b"\xfe.png"):
        save(tmp_path / "x.png", GREY)
        os.rename(tmp_path / "x.png", os.path.join(folder, name))
    names = load_file(tmp_path).names
    assert len(set(names)) == 2 and "".join(names).encode()


def test_new_images_are_read_in_the_depth_of_those_that_were_fitted(tmp_path):
    from coterie.cli.inputs import open_data, open_like
    from coterie.data import make_source

    rng = np.random.default_rng(0)
    shallow = rng.integers(0, 256, (4, 6, 6)).astype(np.uint8)
    for folder in ("eight", "sixteen", "mixed"):
        (tmp_path / folder).mkdir()
    for i, pixels in enumerate(shallow):
        deep = Image.fromarray(pixels.astype(np.uint16) * 257)
        Image.fromarray(pixels).save(tmp_path / "eight" / f"{i}.png")
        deep.save(tmp_path / "sixteen" / f"{i}.png")
        (deep if i < 2 else Image.fromarray(pixels)).save(tmp_path / "mixed" / f"{i}.png")
    for fitted in ("eight", "sixteen", "mixed"):
        spec = make_source(load_file(tmp_path / fitted).X).spec
        for new in ("eight", "sixteen", "mixed"):
            rows = open_like(str(tmp_path / new), spec, strict=True).source.take(slice(None))
            np.testing.assert_allclose(rows[:, 0].numpy(), shallow / 255, atol=1e-6)
            further = open_data(str(tmp_path / new), strict=True, spec=spec).source  # where a fit goes on warm
            assert torch.equal(further.take(slice(None)), rows)


def test_colour_files_without_colour_are_read_alike_whether_the_set_shows_it_or_its_shape_is_given(tmp_path):
    for i in range(6):
        grey = np.random.default_rng(i).integers(0, 250, (40, 30), dtype=np.uint8)
        save(tmp_path / f"{i}.png", np.stack([grey + 2, grey, grey + 1], axis=-1))
    found = load_file(tmp_path, max_side=16)
    again = load_file(tmp_path, image_shape=found.X.shape[1:])
    assert found.X.ndim == 3
    assert np.array_equal(found.X, again.X)
