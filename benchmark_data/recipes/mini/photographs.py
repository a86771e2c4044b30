"""Collect the photographs for training: ``python -m benchmark_data.recipes.mini.photographs --out DIR``.

Downloads Debian's wallpaper packages with ``apt-get download`` and unpacks the photographs named below, scaled to at
most 1600 px, and cut-out objects with their outlines. They are used for training only and are no part of the
project; each package's licence is in ``LICENCES``, as its ``copyright`` file states it.
"""

from __future__ import annotations

import argparse
import functools
import io
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["CUTOUT_PACKAGE", "LICENCES", "PHOTOGRAPHS", "collect", "cutouts", "photographs"]

MAX_SIDE = 1600
MAX_CUTOUT = 480
PHOTOGRAPHS: dict[str, tuple[str, ...]] = {
    "lomiri-wallpapers-16.04": (
        *("Picture_1A_by_freespace.jpg", "Wine_by_Jakkub_Mede.jpg", "greentock_by_Peter_Nerlich.jpg"),
        *("seeding_by_Clements_Engelhardt.jpg", "aitzgorri_by_Aitzol_Berasategi.jpg", "Dragonfly_by_Bolly.jpg"),
        *("friends_by_Aitzol_Berasategi.jpg", "sunset_by_Aitzol_Berasategi.jpg", "free_by_Peter_Nerlich.jpg"),
        *("picosdeeuropa_by_Aitzol_Berasategi.jpg", "Picture_0B_by_freespace.jpg", "life_by_Aitzol_Berasategi.jpg"),
        *("analogpattern_by_Peter_Nerlich.jpg", "Bridge_by_Sander_Klootwijk.jpg"),
    ),
    "lomiri-wallpapers-20.04": ("Kleiber_by_Lukas_Baubkus.jpg",),
    "mate-backgrounds": (
        *("Garden.jpg", "Dune.jpg", "Wood.jpg", "Aqua.jpg", "TwoWings.jpg", "Storm.jpg", "GreenMeadow.jpg"),
        *("RainDrops.jpg", "Blinds.jpg", "FreshFlower.jpg", "LadyBird.jpg", "YellowFlower.jpg"),
    ),
    "plasma-workspace-wallpapers": (
        *("FallenLeaf", "Path", "DarkestHour", "summer_1am", "EveningGlow", "Grey", "Kite", "ColorfulCups"),
        *("OneStandsOut", "ColdRipple", "BytheWater"),
    ),
}
"""File names, or for KDE's wallpapers their folders; drawings and renderings of the packages are left out."""

CUTOUT_PACKAGE = "tuxpaint-stamps-default"
CUTOUT_FOLDERS = ("animals", "plants", "food", "household", "hobbies", "vehicles", "people", "space", "town", "clothes")
DRAWN = (
    *("symbols", "cartoon", "mirror", "flag", "roadsigns", "seasonal", "plastic", "toys", "shapes", "roads", "hats"),
    *("t_", "hedgehog", "body_parts", "inukshuk-outline", "button", "pizza", "walnut_shelled", "bee.png", "fly.png"),
)
LICENCES = {
    "lomiri-wallpapers-16.04": "CC-BY-4.0, CC-BY-SA-4.0 or CC0-1.0, by file",
    "lomiri-wallpapers-20.04": "CC-BY-SA-3.0",
    "mate-backgrounds": "GPL-2+",
    "plasma-workspace-wallpapers": "GPL-2+ (KDE Visual Design Group)",
    CUTOUT_PACKAGE: "GPL-2+ (Bill Kendrick and contributors)",
    "scikit-learn (wheel)": "CC-BY-2.0 (china.jpg, flower.jpg)",
    "scikit-image (wheel)": "public domain or CC0-1.0, see content.py",
}


def collect(folder: Path) -> int:
    """Download, unpack and scale all pictures that are not there yet; return how many there are."""
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    (folder / "cutouts").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for package, names in PHOTOGRAPHS.items():
            tree = _unpacked(package, place)
            for name in names:
                _save_photo(_largest(tree, name), folder / "photos" / f"{package}--{Path(name).stem}.jpg")
        for name in ("china.jpg", "flower.jpg"):
            _save_photo(io.BytesIO(_from_wheel(place, name)), folder / "photos" / f"scikit-learn--{name}")
        stamps = _unpacked(CUTOUT_PACKAGE, place) / "usr/share/tuxpaint/stamps"
        for path in sorted(stamps.rglob("*.png")):
            relative = path.relative_to(stamps).as_posix()
            if relative.split("/")[0] in CUTOUT_FOLDERS and not any(word in relative for word in DRAWN):
                _save_cutout(path, folder / "cutouts" / relative.replace("/", "--"))
    return len(photographs(folder)) + len(cutouts(folder))


@functools.cache
def photographs(folder: Path) -> tuple[np.ndarray, ...]:
    """Read all photographs, each (H, W, 3) uint8."""
    return tuple(np.asarray(Image.open(path).convert("RGB")) for path in sorted((folder / "photos").glob("*.jpg")))


@functools.cache
def cutouts(folder: Path) -> tuple[np.ndarray, ...]:
    """Read all cut-out objects, each (H, W, 4) uint8 with its outline as alpha."""
    return tuple(np.asarray(Image.open(path).convert("RGBA")) for path in sorted((folder / "cutouts").glob("*.png")))


def _unpacked(package: str, place: Path) -> Path:
    target = place / package
    subprocess.run(["apt-get", "download", package], cwd=place, check=True, capture_output=True)
    archive = next(place.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg-deb", "-x", archive, target], check=True)
    archive.unlink()
    return target


def _from_wheel(place: Path, name: str) -> bytes:
    """Read a picture out of the wheel of scikit-learn, without installing it."""
    wheels = list(place.glob("scikit_learn-*.whl"))
    if not wheels:
        subprocess.run(["pip", "download", "--no-deps", "scikit-learn"], cwd=place, check=True, capture_output=True)
        wheels = list(place.glob("scikit_learn-*.whl"))
    with zipfile.ZipFile(wheels[0]) as archive:
        return archive.read(f"sklearn/datasets/images/{name}")


def _largest(tree: Path, name: str) -> Path:
    """Find a file by its name, or the largest picture below a folder of that name."""
    found = [p for p in tree.rglob("*") if p.is_file() and not p.is_symlink() and (p.name == name or name in p.parts)]
    pictures = [p for p in found if p.suffix.lower() in (".jpg", ".jpeg", ".png")]
    if not pictures:
        raise FileNotFoundError(f"no picture {name} in {tree.name}: the package has changed, adapt PHOTOGRAPHS")
    return max(pictures, key=lambda p: p.stat().st_size)


def _save_photo(source: Path | io.BytesIO, target: Path) -> None:
    with Image.open(source) as image:
        picture = image.convert("RGB")
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    picture.save(target, quality=95)


def _save_cutout(source: Path, target: Path) -> None:
    """Keep objects with an outline that are large enough."""
    with Image.open(source) as image:
        picture = image.convert("RGBA")
    picture = picture.crop(picture.getchannel("A").getbbox())
    opaque = float((np.asarray(picture.getchannel("A")) > 127).mean())
    if min(picture.size) >= 60 and 0.1 < opaque < 0.97:
        picture.thumbnail((MAX_CUTOUT, MAX_CUTOUT), Image.Resampling.LANCZOS)
        picture.save(target)


def main(arguments: Sequence[str] | None = None) -> None:
    """Collect as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmark_data.recipes.mini.photographs", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for about 30 MB of pictures")
    print(collect(parser.parse_args(arguments).out), "pictures")


if __name__ == "__main__":
    main()
