"""On what a run was made: versions and hardware."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from coterie import __version__
from coterie.config import get_config
from coterie.training import make_runtime

_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "torchdr", "faiss-cpu")


def versions() -> dict[str, str]:
    """Return the versions of Python, coterie and what the arithmetic depends on."""
    found = {"coterie": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # run from sources without installing
            found[package] = "unknown"
    return found


def hardware() -> dict[str, Any]:
    """Return the machine, and the device and precision that the settings in force stand for."""
    import torch

    runtime = make_runtime(get_config())
    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "device": str(runtime.device),
        "precision": runtime.precision,
    }
    if runtime.device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(runtime.device)
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None
