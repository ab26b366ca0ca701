"""HTTP/1.1 by httptools, with the bound on heads that it lacks."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX: Final = 64 * 1024
"""Of request line and headers: what uvicorn allows with h11."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers do not end: llhttp would collect them without limit."""

    _in_head = False
    _head_bytes = 0

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """Its head has ended."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take what has come; it belongs to a head until that has ended."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.send_400_response("Request line and headers are too long.")
                self.transport.close()
