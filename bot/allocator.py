"""The memory of the process between Python, the C library and the system: what is looked at, and what goes back."""

import ctypes
import gc
from typing import Final

_SEARCHES: Final = (5_000, 5, 500)  # gc.set_threshold: new objects, young searches, middle ones

_KEPT_BYTES: Final = 16 * 1024 * 1024  # what a request of the greatest size needs
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)


def suit_telemetry() -> None:
    """Let Python and the C library handle memory as a process needs it that takes telemetry all the time."""
    _spare_the_collector()
    _keep_for_the_next()


def _spare_the_collector() -> None:
    """Let Python look for garbage cycles less often: telemetry makes many objects, and hardly any cycle.

    What the imports made is not looked at again. A full search over the objects of 20,000 series holds everything up
    for half a second, so it is rare; the others are small, so that one takes some 30 ms at most.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SEARCHES)


def _keep_for_the_next() -> None:
    """Let the C library (glibc) keep what a request freed for the next one.

    Else each batch of spans takes its pages from the system anew, which is as much work there as bringing it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES // 4)


def give_back() -> bool:
    """Free what nobody refers to and return freed pages to the system, where the C library can (glibc).

    Returns False: there is no more to give than that.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    return False
