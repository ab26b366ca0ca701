"""What the image is made with: its lock file, its health check, its sandbox's settings, and how it is checked."""

import json
import stat

import pytest

from bot.settings import Settings
from infra.image.check import Docker, ImageError, wait_until_healthy
from infra.image.lock import UnknownNameError, names_of, without
from infra.image.sandbox import push_url, write_settings, write_shop
from tests.requirements import ROOT

LOCK = """alpha==1.0 \\
    --hash=sha256:aa
    # via beta
beta-two==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:bb
gamma==3.0 \\
    --hash=sha256:cc
"""
APP = {
    "api_url": "http://github:8090",
    "app_id": 17,
    "private_key": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n",
    "webhook_secret": "s3cret",
    "owner": "acme",
    "repo": "shop",
    "clone_url": "http://github:8090/acme/shop.git",
    "users": {"maria": "t-maria", "otto": "t-otto", "wim": "t-wim"},
}


def test_what_is_left_out_is_gone_with_its_hashes_and_nothing_else():
    """Names are compared as indexes do."""
    left = without(LOCK, names_of("# reason\nBeta_Two  # another\n\n"))
    assert left == LOCK.replace("beta-two==2.0 ; sys_platform == 'linux' \\\n    --hash=sha256:bb\n", "")


def test_a_name_that_the_lock_file_does_not_have_is_refused():
    """The list would silently be out of date."""
    with pytest.raises(UnknownNameError, match="omega"):
        without(LOCK, names_of("omega"))


def test_the_list_fits_the_lock_file():
    """Every line of it leaves something out, and what we depend on ourselves stays."""
    lock = (ROOT / "requirements.lock").read_text()
    left_out = names_of((ROOT / "infra/image/left_out.txt").read_text())
    kept = without(lock, left_out)
    assert "\nchromadb==" in kept
    assert lock.count("\n    --hash") > kept.count("\n    --hash") > 0


def test_settings_of_the_sandbox_are_read_by_the_processes(tmp_path, monkeypatch):
    """They find them in their working directory; an empty variable of compose does not hide them."""
    write_settings(APP, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_APP_ID", "")
    settings = Settings()
    credentials = settings.require_github()
    assert (credentials.app_id, settings.repository, settings.github_api_url) == (17, "acme/shop", APP["api_url"])
    assert credentials.private_key.get_secret_value() == APP["private_key"]
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_the_shop_gets_its_clone_url_and_the_injector_its_world(tmp_path):
    """All share one control token."""
    write_shop(APP, tmp_path)
    assert (
        (tmp_path / "clone-url").read_text()
        == push_url("maria", APP)
        == "http://maria:t-maria@github:8090/acme/shop.git"
    )
    world = json.loads((tmp_path / "world.json").read_text())
    assert [person["push_url"] for person in world["people"]] == [push_url("otto", APP), push_url("wim", APP)]
    assert world["control_token"] == (tmp_path / "control-token").read_text()


class FakeDocker(Docker):
    """Answers `inspect` from a list of states."""

    def __init__(self, *states: dict[str, object]) -> None:
        super().__init__("true")
        object.__setattr__(self, "states", iter(states))

    def __call__(self, *arguments: str) -> str:
        return json.dumps(next(self.states))


def state(health: str, *, running: bool = True, code: int = 0) -> dict[str, object]:
    """Return what Docker says of a container."""
    return {"Health": {"Status": health}, "Running": running, "ExitCode": code}


def test_a_container_is_waited_for_until_it_is_healthy(monkeypatch):
    """`starting` is not enough."""
    monkeypatch.setattr("infra.image.check.time.sleep", lambda _: None)
    states = (state("starting"), state("unhealthy"), state("healthy"))
    assert wait_until_healthy(FakeDocker(*states), "c") >= 0


def test_a_container_that_ended_is_not_waited_for(monkeypatch):
    """Its exit code is in the message."""
    monkeypatch.setattr("infra.image.check.time.sleep", lambda _: None)
    with pytest.raises(ImageError, match="ended with 2"):
        wait_until_healthy(FakeDocker(state("starting", running=False, code=2)), "c")
