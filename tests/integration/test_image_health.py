"""The image's health check against a real server."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.image.health import main


class Answers(BaseHTTPRequestHandler):
    """Answers `/ready` well and everything else with 503."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(HTTPStatus.OK if self.path == "/ready" else HTTPStatus.SERVICE_UNAVAILABLE)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address():
    """The address of a server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_a_process_that_is_ready_is_healthy(address):
    """The check ends without an error."""
    main([f"{address}/ready", f"{address}/ready"])


@pytest.mark.parametrize("path", ["/not-ready", "/ready?port=closed"])
def test_a_process_that_is_not_ready_or_not_there_is_unhealthy(address, path):
    """The check fails and says why."""
    url = f"{address}{path}" if "closed" not in path else "http://127.0.0.1:1/ready"
    with pytest.raises(SystemExit, match=r"503|refused"):
        main([f"{address}/ready", url])
