"""The machine: device, precision, compiling, memory."""

from __future__ import annotations

import ctypes
import logging
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from coterie._alone import GLOBAL_STATE
from coterie.config import Config
from coterie.errors import InputError

logger = logging.getLogger(__name__)

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


@dataclass(frozen=True)
class Runtime:
    """Where and how a fit computes.

    Parameters
    ----------
    device : torch.device
        Where tensors live.
    precision : {"float32", "bfloat16"}
        Arithmetic of training.
    compile : bool, default=False
        Whether networks are compiled.
    """

    device: torch.device
    precision: str
    compile: bool = False

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Return the context in which the forward pass of training runs."""
        if self.precision == "float32":
            yield
            return
        with torch.autocast(self.device.type, torch.bfloat16, cache_enabled=True):
            yield
            # Within a context of the caller's, weights would stay as they were cast before they are trained further.
            torch.clear_autocast_cache()

    def prepare(self, model: nn.Module) -> None:
        """Move a model to the device, and compile its parts if asked and possible."""
        model.to(self.device)
        if self.compile and _can_compile(self.device.type):
            for part in model.children():
                part.compile()

    def release(self, model: nn.Module) -> None:
        """Undo compiling: a trained model predicts with the arithmetic that it has after saving and loading."""
        for part in model.children():
            part._compiled_call_impl = None

    @contextmanager
    def seeded(self, number: int) -> Iterator[None]:
        """Return a context in which torch's global random numbers, here and on the device, begin at a number."""
        on_cuda = self.device.type == "cuda"
        with GLOBAL_STATE, torch.random.fork_rng([self.device] if on_cuda else []):
            torch.default_generator.manual_seed(number)  # torch.manual_seed would seed all devices
            if on_cuda:
                torch.cuda.manual_seed(number)
            yield


@contextmanager
def own_modes() -> Iterator[None]:
    """Compute as coterie does whatever modes of torch its caller is in, which are given back.

    Gradients can be asked for, new tensors are of float32 on the processor, and nothing is cast but what
    :meth:`Runtime.autocast` says. Of these the default dtype is that of all threads, so that threads of a process that
    has another one may undo each other's.

    Yields
    ------
    None
        While that holds.

    Examples
    --------
    >>> import torch
    >>> from coterie.training import own_modes
    >>> with torch.no_grad(), own_modes():
    ...     torch.is_grad_enabled()
    True
    """
    with ExitStack() as modes:
        modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
        if torch.get_default_dtype() != torch.float32:
            modes.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float32)
        if torch.get_default_device().type != "cpu":
            modes.enter_context(torch.device("cpu"))
        for device_type in filter(torch.is_autocast_enabled, ("cpu", "cuda", "mps")):
            modes.enter_context(torch.autocast(device_type, enabled=False))
        yield


def make_runtime(config: Config) -> Runtime:
    """Resolve the settings of the machine.

    Parameters
    ----------
    config : Config
        What was asked for.

    Returns
    -------
    Runtime
        What will be used.

    Raises
    ------
    InputError
        If the device does not exist here.

    Examples
    --------
    >>> from coterie.config import Config
    >>> from coterie.training import make_runtime
    >>> make_runtime(Config(device="cpu", precision="float32")).precision
    'float32'
    """
    device = _device(config.device)
    precision = config.precision
    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16_units(device) else "float32"
    if device.type == "cpu":
        _keep_freed_memory()
    return Runtime(device, precision, config.compile)


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros((), device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(
            f"The 'device' setting must be 'auto' or a device of this machine. Got {name!r} instead: "
            f"{str(error).splitlines()[0]}"
        ) from None
    return device


def _has_bfloat16_units(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


@cache
def _keep_freed_memory() -> None:
    # glibc hands large freed blocks back to the kernel at once, so every step would fault its activations and
    # gradients in again, page by page: about a fifth of the time of a small step.
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


@cache
def _can_compile(device_type: str) -> bool:
    try:
        torch.compile(torch.square)(torch.ones(2, device=device_type))
    except Exception as error:
        logger.info("not compiling: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
        return False
    return True
