"""``rses suites build``: a suite from a data set, or from a folder of photographs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rses.cli.common import Progress, confirmed, emit, may_ask, note, progress, quiet_stdout
from rses.cli.help import command, group
from rses.cli.options import file_or_list
from rses.errors import InputError, Place
from rses.files.places import require_apart

if TYPE_CHECKING:
    from rses.suites import Suite

app = group("Build a suite from a data set, or from your own photographs.")

Root = Annotated[Path, typer.Option("--root", help="Folder of the data set.", metavar="DIR")]
Out = Annotated[Path, typer.Option("--out", help="New or empty folder.", metavar="DIR")]
Styles = Annotated[str, typer.Option("--styles", help='Styles with commas between: "pixel art,line art".')]
Number = Annotated[int | None, typer.Option("--n", help="Number of pictures; all that the rule lets in by default.")]
Seed = Annotated[int, typer.Option("--seed", help="Another seed gives other pictures.")]
Rule = Annotated[str, typer.Option("--selection", help="default, hard, regionroute-paper, or a JSON file.")]
Name = Annotated[str | None, typer.Option("--name", help="Name of the suite.")]
Split = Annotated[str | None, typer.Option("--split", help="Part of the data set, such as val2017, val or test.")]
Annotations = Annotated[
    Path | None, typer.Option("--annotations", help="Annotation file, where it is not annotations/instances_*.json.")
]
Outlines = Annotated[
    bool,
    typer.Option("--outlines", help="Files made with labelme: polygons hold their outline, later ones lie in front."),
]
ClassList = Annotated[
    Path | None,
    typer.Option(
        "--classes",
        help="List of the classes: labelme's class_names.txt, CVAT's labelmap.txt, or CSV with number, object; "
        "by default one that lies in --root.",
    ),
]
ClassTable = Annotated[
    Path | None, typer.Option("--classes", help="CSV with columns name, object, where file names hold no class.")
]
Mapping = Annotated[
    Path | None, typer.Option("--mapping", help="The mapping file, where it is not mapping_file.json in --root.")
]
AsPublished = Annotated[
    bool, typer.Option("--as-published", help="Read masks as the data set's script does: runs past the end are cut.")
]

_Warn = Callable[[str], None]


def coco(
    root: Root, out: Out, styles: Styles, n: Number = None, seed: Seed = 0, selection: Rule = "default",
    name: Name = None, split: Split = None, annotations: Annotations = None, outlines: Outlines = False,
) -> None:  # fmt: skip
    """Build a suite from COCO: photographs and annotations/instances_*.json."""
    _selected(out, styles, n, seed, selection, name, dataset="coco", root=root, split=split, annotations=annotations,
              outlines=outlines)  # fmt: skip


def voc(
    root: Root, out: Out, styles: Styles, n: Number = None, seed: Seed = 0, selection: Rule = "default",
    name: Name = None, split: Split = None, classes: ClassList = None,
) -> None:  # fmt: skip
    """Build a suite from Pascal VOC: JPEGImages, SegmentationObject, SegmentationClass, Annotations."""
    _selected(out, styles, n, seed, selection, name, dataset="voc", root=root, split=split, classes=classes)


def big(
    root: Root, out: Out, styles: Styles, n: Number = None, seed: Seed = 0, selection: Rule = "default",
    name: Name = None, split: Split = None, classes: ClassTable = None,
) -> None:  # fmt: skip
    """Build a suite from BIG: pairs *_im.* and *_gt.*."""
    _selected(out, styles, n, seed, selection, name, dataset="big", root=root, split=split, classes=classes)


def pie(
    root: Root,
    out: Out,
    n: Number = None,
    seed: Seed = 0,
    name: Name = None,
    types: Annotated[str, typer.Option("--types", help='Editing types, such as "9" or "1,9"; all by default.')] = "",
    instructions: Annotated[
        bool, typer.Option("--instructions", help="Prompts are the editing instructions, not the target prompts.")
    ] = False,
    mapping: Mapping = None,
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published",
            help="Read masks as PIE-Bench does: runs past the end are cut, the outermost ring of pixels is edited.",
        ),
    ] = False,
) -> None:
    """Build a suite from PIE-Bench: annotation_images and mapping_file.json."""

    def build(report: Progress, warn: _Warn) -> Suite:
        from rses.suites.build import build_prompted
        from rses.suites.readers import PieReader

        wanted = frozenset(part.strip() for part in types.split(",") if part.strip())
        return build_prompted(
            PieReader(root, mapping, wanted, instructions, as_published), out, n, seed, name, report, warn
        )

    _build(out, {"the data set": root}, build)


def brushbench(
    root: Root,
    out: Out,
    n: Number = None,
    seed: Seed = 0,
    name: Name = None,
    mask_key: Annotated[
        str, typer.Option("--mask-key", help="inpainting_mask (inside) or outpainting_mask (outside).")
    ] = "inpainting_mask",
    mapping: Mapping = None,
    as_published: AsPublished = False,
) -> None:
    """Build a suite from BrushBench: images and mapping_file.json."""

    def build(report: Progress, warn: _Warn) -> Suite:
        from rses.suites.build import build_prompted
        from rses.suites.readers import BrushReader

        return build_prompted(BrushReader(root, mapping, mask_key, as_published), out, n, seed, name, report, warn)

    _build(out, {"the data set": root}, build)


def folder(
    images: Annotated[Path, typer.Option("--images", help="Folder of photographs.", metavar="DIR")],
    out: Out,
    styles: Annotated[
        str,
        typer.Option(
            "--styles",
            help="Style of each photograph: a JSON, JSONL or CSV file. Or styles that each gets, with commas between.",
            metavar="FILE|A,B,C",
        ),
    ],
    masks: Annotated[
        Path | None, typer.Option("--masks", help="Masks named like the photographs.", metavar="DIR")
    ] = None,
    regions: Annotated[
        Path | None, typer.Option("--regions", help="CSV or JSON: file_name, and x, y, width, height or points.")
    ] = None,
    alpha: Annotated[bool, typer.Option("--alpha", help="The photographs' alpha channel is the mask.")] = False,
    thing: Annotated[str | None, typer.Option("--object", help="What the regions cover.")] = None,
    objects: Annotated[
        Path | None, typer.Option("--objects", help="CSV with columns file_name, object, where they differ.")
    ] = None,
    template: Annotated[str | None, typer.Option("--template", help="Prompt with {object} and {style}.")] = None,
    licence: Annotated[str, typer.Option("--licence", help="Licence of the photographs.")] = "not stated",
    name: Name = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask whether --object holds for every photograph: it does.")
    ] = False,
) -> None:
    """Build a suite from your own photographs with masks, boxes, outlines or an alpha channel.

    In a terminal it asks before one --object is taken for several photographs; elsewhere it warns.
    """
    from rses.suites.own_folder import one_object, plan_folder
    from rses.suites.writing import write_suite

    _check(out, {"photographs": images, "masks": masks}, inside=False)
    with progress("Reading photographs"), quiet_stdout():
        from rses.inputs.styles import read_styles
        from rses.suites.entry import TEMPLATE
        from rses.suites.writing import require_styles

        given = file_or_list(styles)
        plan = plan_folder(
            images, read_styles(given) if isinstance(given, Path) else require_styles(styles), masks=masks,
            regions=regions, alpha=alpha, thing=thing, objects=objects, template=template or TEMPLATE,
            licence=licence, name=name or out.resolve().name,
        )  # fmt: skip
    doubt = None if yes else one_object(plan, thing)
    if doubt and may_ask():
        if not confirmed(f"{doubt} Build the suite with this name?"):
            raise InputError(
                "No suite was written. Name what each photograph shows in a CSV with the columns file_name and object "
                "(--objects FILE), or pass --yes if the name holds for all.",
                code="ambiguous",
                place=Place(field="--object"),
            )
        doubt = None
    _write(out, lambda report, warn: write_suite(plan, out.expanduser(), report, warn), doubt)


def _selected(
    out: Path, styles: str, n: int | None, seed: int, selection: str, name: str | None, *, root: Path, **options: Any
) -> None:
    """Build a suite of a data set that the selection rule chooses from."""

    def build(report: Progress, warn: _Warn) -> Suite:
        from rses.suites.build import build_suite, open_reader
        from rses.suites.selection import load_selection
        from rses.suites.writing import require_styles

        wanted, rule = require_styles(styles), load_selection(selection)
        return build_suite(open_reader(root=root, **options), out, wanted, n, seed, rule, name, report, warn)

    _build(out, {"the data set": root}, build)


def _build(out: Path, inputs: dict[str, Path | None], build: Callable[[Progress, _Warn], Suite]) -> None:
    """Check the output folder and build."""
    _check(out, inputs)
    _write(out, build)


def _check(out: Path, inputs: dict[str, Path | None], inside: bool = True) -> None:
    from rses.suites.writing import require_free

    require_free(out)
    require_apart(out, inputs, inside=inside)


def _write(out: Path, build: Callable[[Progress, _Warn], Suite], doubt: str | None = None) -> None:
    """Build, and say what was left out once the bar is gone."""
    lines = [doubt] if doubt else []
    with progress(f"Building {out}") as report, quiet_stdout():
        suite = build(report, lines.append)
    for line in lines:
        note(line)
    emit(f"{suite.name}: {len(suite)} samples in {out} ({suite.sha256})")


_TWO = '--styles "pixel art,line art" --out suite/'
for _name, _run, _example in (
    ("coco", coco, f"--root coco/ --split val2017 --n 100 {_TWO}"),
    ("voc", voc, f"--root VOCdevkit/VOC2012 --split val {_TWO}"),
    ("big", big, f"--root BIG/ {_TWO}"),
    ("pie", pie, "--root PIE-Bench_v1/ --types 9 --out suite/"),
    ("brushbench", brushbench, "--root BrushBench/ --out suite/"),
    ("folder", folder, f"--images photos/ --masks masks/ --object cat {_TWO}"),
):
    command(app, _name, _run, f"rses suites build {_name} {_example}")
