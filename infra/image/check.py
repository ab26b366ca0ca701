"""`make image-check`: builds the image, starts it, waits until it is healthy, prints its size, and cleans up.

`IMAGE_PYTHON` is the base image instead of Docker Hub's, `IMAGE_BUILD_OPTIONS` are added to `docker build`.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LIMIT_MB: Final = 400
"""Size of the image, unpacked, in units of 10⁶ bytes as Docker shows it."""
HEALTHY_WITHIN_S: Final = 180.0
STOPPED_WITHIN_S: Final = 40
SEED: Final = "/opt/sre-space/infra/sandbox/seed"
"""Where docker-compose.yml finds the first commit of the sandbox's repository, in the image."""
_MB: Final = 1_000_000
# Names of no repository and a key of no app: nothing is called with them.
_THROWAWAY: Final = {
    "SRE_SPACE_REPOSITORY": "example/example",
    "GITHUB_API_URL": "http://127.0.0.1:1",
    "GITHUB_APP_ID": "1",
    "GITHUB_WEBHOOK_SECRET": "throwaway",
}
_NEW_KEY: Final = (
    "from cryptography.hazmat.primitives import serialization as s\n"
    "from cryptography.hazmat.primitives.asymmetric import rsa\n"
    "key = rsa.generate_private_key(65537, 2048)\n"
    "print(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode())\n"
)


class ImageError(Exception):
    """The image is not as it should be; the message says what was seen."""


@dataclass(frozen=True)
class Docker:
    """Docker's command line. `program` is `docker`, or what understands the same (`podman`)."""

    program: str

    def __call__(self, *arguments: str) -> str:
        """Returns what the command wrote to stdout.

        Raises:
            ImageError: it failed.
        """
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - the user's own Docker
        if done.returncode:
            raise ImageError(f"{self.program} {arguments[0]} failed:\n{(done.stderr or done.stdout)[-4000:]}")
        return done.stdout.strip()

    def build(self, tag: str, environ: Mapping[str, str]) -> None:
        """Builds the image, with the build's output on the terminal.

        Raises:
            ImageError: it cannot be built.
        """
        base = environ.get("IMAGE_PYTHON")
        given = shlex.split(environ.get("IMAGE_BUILD_OPTIONS", ""))
        options = [*(["--build-arg", f"PYTHON_IMAGE={base}"] if base else []), *given]
        command = [self.program, "build", "--tag", tag, *options, str(ROOT)]
        if subprocess.run(command, env={**environ, "DOCKER_BUILDKIT": "1"}, check=False).returncode:  # noqa: S603 - as above
            raise ImageError("the image cannot be built; see above")


def wait_until_healthy(docker: Docker, container: str) -> float:
    """Returns after how many seconds the container's health check succeeded.

    Raises:
        ImageError: it ended, or is not healthy in time; with its log.
    """
    started = time.monotonic()
    while (took_s := time.monotonic() - started) < HEALTHY_WITHIN_S:
        state = json.loads(docker("inspect", "--format", "{{json .State}}", container))
        if state["Health"]["Status"] == "healthy":
            return took_s
        if not state["Running"]:
            raise ImageError(f"the container ended with {state['ExitCode']}:\n{_log(docker, container)}")
        time.sleep(1)
    raise ImageError(f"not healthy within {HEALTHY_WITHIN_S:.0f} s:\n{_log(docker, container)}")


def _log(docker: Docker, container: str) -> str:
    command = [docker.program, "logs", "--tail", "40", container]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    return done.stdout + done.stderr


def check_programs(docker: Docker, tag: str) -> None:
    """Runs the probe in the image, without network, on a read-only root.

    Raises:
        ImageError: something is missing in the image.
    """
    flags = ("--network", "none", "--read-only", "--tmpfs", "/tmp:mode=1777")  # noqa: S108 - inside the container
    docker("run", "--rm", *flags, tag, "python", "-m", "infra.image.probe", "/tmp/probe")  # noqa: S108 - as above
    docker("run", "--rm", *flags, tag, "test", "-f", f"{SEED}/flags.json")
    user = docker("run", "--rm", "--network", "none", tag, "id", "-u")
    if user == "0":
        raise ImageError("the image runs as root")


def check_start(docker: Docker, tag: str, name: str) -> None:
    """Starts `sre-space up` in a container, waits until it is healthy, and stops it in order.

    Raises:
        ImageError: it does not get healthy, or does not stop well.
    """
    key = docker("run", "--rm", "--network", "none", tag, "python", "-c", _NEW_KEY)
    environment = {**_THROWAWAY, "GITHUB_PRIVATE_KEY": key.replace("\n", "\\n")}
    flags = [part for variable, value in environment.items() for part in ("--env", f"{variable}={value}")]
    docker("run", "--detach", "--name", name, "--network", "none", *flags, tag)
    _say(f"healthy after {wait_until_healthy(docker, name):.0f} s")
    docker("stop", "--time", str(STOPPED_WITHIN_S), name)
    ended = int(docker("inspect", "--format", "{{.State.ExitCode}}", name))
    if ended:
        raise ImageError(f"the container ended with {ended} when it was stopped:\n{_log(docker, name)}")


def check_demo(docker: Docker, tag: str, name: str) -> None:
    """Runs the whole loop in a container, with the sandbox of the image.

    Raises:
        ImageError: the incident was not resolved.
    """
    docker(
        "run",
        "--name",
        name,
        "--network",
        "none",
        tag,
        "sre-space",
        "demo",
        "--yes",
        "--scenario",
        "db-pool-exhaustion",
    )
    _say("the demo ended resolved in the image")


def size_mb(docker: Docker, tag: str) -> float:
    """Returns the size of the image, unpacked, in 10⁶ bytes."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", tag)) / _MB


def check(docker: Docker, tag: str, *, demo: bool) -> None:
    """Checks an image that was built.

    Raises:
        ImageError: it is not as it should be.
    """
    size = size_mb(docker, tag)
    _say(f"size {size:.0f} MB (limit {LIMIT_MB} MB)")
    check_programs(docker, tag)
    _say("every program is there and runs without root")
    name = f"sre-space-check-{uuid.uuid4().hex[:8]}"
    try:
        check_start(docker, tag, name)
        if demo:
            docker("rm", "--force", "--volumes", name)
            check_demo(docker, tag, name)
    finally:
        docker("rm", "--force", "--volumes", name)
    if size > LIMIT_MB:
        raise ImageError(f"the image has {size:.0f} MB, more than {LIMIT_MB} MB")


def _say(text: str) -> None:
    sys.stdout.write(f"image-check: {text}\n")
    sys.stdout.flush()


def main() -> None:
    """Builds and checks. The exit status is 0 when the image is as it should be."""
    parser = argparse.ArgumentParser(prog="make image-check", description=__doc__)
    parser.add_argument("--docker", default="docker", help="program that builds and runs images (default: %(default)s)")
    parser.add_argument("--tag", default="sre-space:check", help="name of the image (default: %(default)s)")
    parser.add_argument("--demo", action="store_true", help="also run the whole loop in the image (three minutes)")
    parser.add_argument("--keep", action="store_true", help="keep the image")
    given = parser.parse_args()
    docker = Docker(given.docker)
    if shutil.which(given.docker) is None:
        sys.exit(f"image-check: there is no {given.docker} here; on Debian: apt-get install docker.io")
    try:
        docker.build(given.tag, os.environ)
        check(docker, given.tag, demo=given.demo)
    except ImageError as error:
        sys.exit(f"image-check: {error}")
    finally:
        if not given.keep:
            subprocess.run([docker.program, "image", "rm", given.tag], capture_output=True, check=False)  # noqa: S603 - as above


if __name__ == "__main__":
    main()
