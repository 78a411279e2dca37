"""The arguments and flags of the commands, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_FILES = "A .npy or .npz file, .csv, .tsv or IDX (plain or .gz), a folder of images, or a benchmark set's name."

Data = Annotated[str | None, typer.Argument(help=_FILES, metavar="DATA")]
Clusters = Annotated[
    str | None,
    typer.Option("-k", "--clusters", help="Number of clusters, or a range such as 3-12. Default: auto.", metavar="K"),
]
TimeBudget = Annotated[
    float | None,
    typer.Option("--time-budget", help="Seconds that choosing among systems may take.", metavar="S"),
]
Candidates = Annotated[
    str | None,
    typer.Option(
        "--candidates",
        help="Choose among these alone, such as kmeans,dec. Of one, a second run tells how sure each row is.",
        metavar="NAME,...",
    ),
]
System = Annotated[
    str | None,
    typer.Option("--system", help="What to fit (`coterie systems`). Default: the best of several.", metavar="NAME"),
]
Recipe = Annotated[str | None, typer.Option("--recipe", help="Published settings of the system.", metavar="NAME")]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Run folder to make. Default: the data's and the system's name.", metavar="RUN"),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels", help="Known classes, only ever to evaluate: a file, or a column of DATA.", metavar="FILE|COLUMN"
    ),
]
Known = Annotated[
    str | None,
    typer.Option(
        "--known",
        help="Classes of some rows, to learn from: a file with a label a row, empty or -1 where unknown, or a column "
        "of DATA. Whole numbers below K are numbers of clusters, others names.",
        metavar="FILE|COLUMN",
    ),
]
Names = Annotated[
    str | None,
    typer.Option(
        "--names", help="A column of DATA with the names of its rows, such as an identifier.", metavar="COLUMN"
    ),
]
Drop = Annotated[
    list[str] | None,
    typer.Option("--drop", help="A column of DATA to leave out, such as remarks; may be repeated.", metavar="COLUMN"),
]
WarmStart = Annotated[
    Path | None,
    typer.Option("--warm-start", help="A run of the same system, from which training goes on.", metavar="RUN"),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything random. Default: 0.", metavar="S")]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Settings file; flags win over it. A run's config.toml makes it again.", metavar="FILE"
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out where it stopped.")]
Strict = Annotated[
    bool | None, typer.Option("--strict/--no-strict", help="Refuse a folder that holds unreadable images.")
]
ImageShape = Annotated[
    str | None,
    typer.Option("--image-shape", help="Take flat rows as images, such as 28x28 or 32x32x3.", metavar="HxW[xC]"),
]
Device = Annotated[
    str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:1 or mps. Default: auto.", metavar="NAME")
]
Precision = Annotated[
    str | None, typer.Option("--precision", help="auto, float32 or bfloat16. Default: auto.", metavar="NAME")
]
Compile = Annotated[bool | None, typer.Option("--compile/--no-compile", help="Compile the networks.")]
Report = Annotated[bool | None, typer.Option("--report/--no-report", help="Write report.html (the default).")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print only warnings and errors.")]

Run = Annotated[Path, typer.Argument(help="A finished run folder.", metavar="RUN")]
Cluster = Annotated[str, typer.Argument(help="A cluster's number, or its name.", metavar="CLUSTER")]
ClustersToMerge = Annotated[
    list[str], typer.Argument(help="Numbers or names of two clusters or more.", metavar="CLUSTER")
]
Name = Annotated[str, typer.Argument(help='What to call it; "" takes its name away.', metavar="NAME")]
NewName = Annotated[str | None, typer.Option("--name", help="What to call the merged cluster.", metavar="NAME")]
Parts = Annotated[int, typer.Option("--into", help="Number of parts.", metavar="M")]
Asked = Annotated[int, typer.Option("-n", "--number", help="How many rows to show; 0 only fits again.", metavar="N")]
Refit = Annotated[bool, typer.Option("--refit/--no-refit", help="Fit again with the labels afterwards.")]
RunOrModel = Annotated[Path, typer.Argument(help="A run folder, or a model folder.", metavar="RUN")]
Runs = Annotated[list[Path], typer.Argument(help="Finished runs on the same rows, or their labels.csv.", metavar="RUN")]
DriftOut = Annotated[
    Path | None,
    typer.Option(
        "--report",
        help="HTML page to write: how the rows differ from the fitted ones; only the figures if FILE ends in .json.",
        metavar="FILE",
    ),
]
ComparisonReport = Annotated[
    Path | None,
    typer.Option("--report", help="HTML page to write: agreement, matched clusters and what moved.", metavar="FILE"),
]
ComparisonOut = Annotated[
    Path | None, typer.Option("--out", help="CSV file to write: each row's cluster in every run.", metavar="FILE")
]
NewData = Annotated[str, typer.Argument(help=f"Rows like those of the fit. {_FILES}", metavar="DATA")]
LabelsOut = Annotated[
    Path,
    typer.Option(
        "--out", help="CSV file to write: row, name, cluster, cluster_name, confidence, strange.", metavar="FILE"
    ),
]
CodesOut = Annotated[Path, typer.Option("--out", help=".npy file to write: float32, shape (n, d).", metavar="FILE")]
DemoOut = Annotated[
    Path, typer.Option("--out", help="Run folder to make; one that demo made before is replaced.", metavar="RUN")
]
DemoSeed = Annotated[int, typer.Option("--seed", help="Seed of everything random.", metavar="S")]
ScoresOut = Annotated[
    Path,
    typer.Option("--out", help="CSV file to write: row, name, score, flagged, cluster, cluster_name.", metavar="FILE"),
]
Score = Annotated[
    str,
    typer.Option(
        "--score",
        help="neighbours, centre, isolation or reconstruction; the larger the score, the stranger the row.",
        metavar="NAME",
    ),
]
Contamination = Annotated[
    str,
    typer.Option(
        "--contamination",
        help="Share of the training rows to flag, above 0 and up to 0.5. auto: one in 100.",
        metavar="X",
    ),
]
Train = Annotated[
    str | None,
    typer.Option(
        "--train",
        help="The rows of the fit, where RUN does not find them any more.",
        metavar="DATA",
    ),
]
OutlierReport = Annotated[
    Path | None,
    typer.Option("--report", help="HTML page to write: the strangest rows, and where they fall.", metavar="FILE"),
]
