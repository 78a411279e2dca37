"""Facts and pictures as one HTML file that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import math
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from coterie.figures import index
from coterie.files import write_text
from coterie.report import palette, plots, wording
from coterie.report.cards import pairs, picture_cards, table_cards
from coterie.report.choice import counting_chart, describe_choice
from coterie.report.images import data_uri, sheet
from coterie.report.run import Run, read_run
from coterie.report.summarise import facts_of
from coterie.runfiles import REPORT

_SHOWN_NUMBERS = 20  # clusters up to which the cells of the heat map carry numbers
_UINT16 = 65_535
_PHASES = {
    "pretrain": "while pretraining",
    "gather": "while gathering",
    "warmup": "while warming up",
    "cluster": "while clustering",
}
_TERMS = {"gather": "Loss", "kl": "KL divergence", "reconstruction": "Reconstruction error"}


def write_report(run_folder: str | os.PathLike[str]) -> Path:
    """Write the report of a run into its folder.

    Parameters
    ----------
    run_folder : path-like
        The folder that ``coterie fit`` made; neither data nor model are needed.

    Returns
    -------
    Path
        ``report.html`` in that folder: one file, readable without a network.

    Raises
    ------
    InputError
        If the folder is not that of a finished run or a file in it is damaged.

    Examples
    --------
    >>> from coterie.report import write_report
    >>> write_report("nowhere")
    Traceback (most recent call last):
        ...
    coterie.errors.InputError: nowhere is not a folder: a report is made from a run folder.
    """
    run = read_run(run_folder)
    path = run.folder / REPORT
    write_text(path, render(run))
    return path


def render(run: Run) -> str:
    """Render a run as one HTML page.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    str
        The page. Its content security policy allows its own style and script, known by their hashes, and pictures held
        in the page; everything else is refused.
    """
    style, script = page_style(), Markup(template_text("report.js"))
    facts = facts_of(run)
    return (
        make_environment()
        .get_template("report.html.j2")
        .render(
            **{key: value for key, value in facts.items() if key != "settings"},
            settings_rows=facts["settings"],  # "settings" is the macro that draws them
            style=style,
            script=script,
            policy=policy_for(style, script),
            charts=_charts(facts),
            choice=describe_choice(run),
            counting=counting_chart(run),
            histogram=plots.histogram(
                facts["confidence"]["counts"],
                facts["confidence"]["edges"],
                title=f"Confidence: {facts['confidence']['sentence']}",
            ),
            cards=picture_cards(run) if run.is_images else table_cards(run),
            pairs=pairs(run),
            map_data=_map(run),
            numbered=run.n_clusters <= _SHOWN_NUMBERS,
        )
    )


def still_page(template: str, **told: Any) -> str:
    """Fill a template as a page without a script.

    Parameters
    ----------
    template : str
        The template's file name.
    **told : Any
        The template's variables.

    Returns
    -------
    str
        The page, whose content security policy allows its own style and pictures held in it.
    """
    style = page_style()
    return make_environment().get_template(template).render(style=style, policy=policy_for(style, ""), **told)


def make_environment() -> Environment:
    """Return what fills the templates: escaping everywhere, an error for every name that is missing."""
    environment = Environment(
        loader=PackageLoader("coterie.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=wording.figure, index=index, percent=wording.percent, amount=wording.amount)
    environment.globals.update(mark=palette.mark, shapes=palette.SHAPES, bars=plots.bars)
    return environment


def template_text(name: str) -> str:
    """Return a file of the templates' folder as it is."""
    return files("coterie.report").joinpath("templates", name).read_text(encoding="utf-8")


def page_style() -> Markup:
    """Return the style sheet of every page; it is made of this package's files, no data are in it."""
    colours = "".join(
        f".c{i}{{color:light-dark({light},{dark})}}"
        for i, (light, dark) in enumerate(zip(palette.LIGHT, palette.DARK, strict=True))
    )
    # Eleven steps of ink for the heat map.
    shades = "".join(
        f".h{i}{{background:color-mix(in oklab,var(--ink-cell) {10 * i}%,var(--surface))}}" for i in range(11)
    )
    return Markup(template_text("report.css") + colours + shades)


def policy_for(style: str, script: str) -> str:
    """Return a content security policy that allows this style, this script and pictures held in the page."""

    def known(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") + "'"

    allowed = known(script) if script else "'none'"
    own = f"style-src {known(style)}; script-src {allowed}"
    return f"default-src 'none'; img-src data:; {own}; base-uri 'none'; form-action 'none'"


def _charts(facts: dict[str, Any]) -> list[dict[str, Any]]:
    training, found = facts["training"], []
    if training["accuracy"]:
        curve = training["accuracy"]
        found.append(
            plots.line_chart(curve["steps"], curve["values"], title="Accuracy at each refresh", limits=(0.0, 1.0))
        )
    for phase in training["phases"]:
        for curve in phase["curves"]:
            term = _TERMS.get(curve["name"], curve["name"].replace("_", " "))
            title = f"{term}, {_PHASES.get(phase['name'], phase['name'])}"
            found.append(plots.line_chart(curve["steps"], curve["values"], title=title))
    if training["changed"]:
        curve = training["changed"]
        title = f"{facts['noun'].capitalize()} that changed cluster between refreshes"
        found.append(plots.line_chart(curve["steps"], curve["values"], title=title, shares=True))
    return found


def _map(run: Run) -> dict[str, Any]:
    """Return the map as numbers that the page's script can draw: 16-bit places, clusters, classes and so on."""
    arrays, rows = run.arrays, run.arrays["map_rows"]
    places = arrays["map2d"].astype(np.float64)
    low = places.min(0)
    span = float(np.ptp(places, axis=0).max()) or 1.0
    whole = np.round((places - low) / span * _UINT16)
    labels = run.labels[rows]
    data: dict[str, Any] = {
        "n": len(rows),
        "x": _packed(whole[:, 0]),
        "y": _packed(whole[:, 1]),
        "cluster": _packed(labels),
        "confidence": _packed(arrays["q_max"][rows] * _UINT16),
        "rows": rows.tolist(),
        "k": run.n_clusters,
        "shapes": palette.SHAPES,
        "colours": len(palette.LIGHT),
        "names": [str(name) for name in arrays["names"][rows]] if "names" in arrays else None,
        "called": run.cluster_names,
        "classes": None,
        "pictures": None,
    }
    if "y" in arrays:
        classes, codes = np.unique(arrays["y"], return_inverse=True)
        data["classes"] = [str(value) for value in classes]
        data["class"] = _packed(codes[rows])
    if "map_pictures" in arrays and len(arrays["map_pictures"]):
        pictures = arrays["map_pictures"]
        sprite, columns = sheet(pictures)
        height, width = pictures.shape[1:3]
        data["pictures"] = {"w": width, "h": height, "columns": columns, "count": len(pictures)}
        data["pictures"]["src"] = data_uri(sprite, few_colours=True)
    return data


def _packed(values: np.ndarray) -> str:
    whole = np.asarray(values)
    if not math.isfinite(float(whole.sum())):
        whole = np.nan_to_num(whole)
    return base64.b64encode(np.round(whole).astype("<u2").tobytes()).decode("ascii")
