"""zstd frames that others wrote, unpacked within a bound."""

from typing import Final

import zstandard

MAGIC: Final = b"\x28\xb5\x2f\xfd"
"""What a frame begins with (RFC 8878, section 3.1.1)."""


class FrameError(ValueError):
    """A frame cannot be unpacked; the text completes "the message …"."""


def unpacked(frame: bytes, max_bytes: int) -> bytes:
    """Return what is in a frame; raises FrameError where that is more than `max_bytes`, or the frame is damaged."""
    try:
        if zstandard.frame_content_size(frame) > max_bytes:  # what a frame claims wins over max_output_size
            raise FrameError(f"unpacks to over {max_bytes >> 20} MiB")
        return zstandard.decompress(frame, max_output_size=max_bytes)
    except zstandard.ZstdError as error:
        raise FrameError(f"is a damaged zstd frame ({error})") from error
