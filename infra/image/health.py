"""`python -m infra.image.health [URL …]`: ends with 0 when every address answers well; the image's health check."""

import sys
import urllib.request
from typing import Final

READY: Final = "http://127.0.0.1:8080/readyz"
_TIMEOUT_S: Final = 4.0


def main(urls: list[str]) -> None:
    """Asks each address; the default is the web process's `/readyz`. What is wrong is the program's last line."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for url in urls or [READY]:
        try:
            with direct.open(url, timeout=_TIMEOUT_S):
                pass
        except OSError as error:  # an answer of 400 or above, too
            sys.exit(f"{url}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
