"""The composition root: every adapter is built here, from settings, and nowhere else."""

import contextlib
import hmac
import ipaddress
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr

from bot.db.engine import Database
from bot.db.migrate import upgrade
from bot.db.store import Store
from bot.queue.redis import RedisQueue, connect
from bot.settings import Mode, Settings, SettingsError
from telemetry.bus import Bus, KafkaBus, RedisStreamsBus
from telemetry.errors import BusUnavailableError


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Base:
    """What web and worker share: the truth, and the wake-up."""

    store: Store
    queue: RedisQueue

    async def check_database(self) -> None:
        """Return when the database answers. Raises DatabaseUnavailableError when it does not."""
        await self.store.events_after(0, 1)


@contextlib.asynccontextmanager
async def open_base(settings: Settings) -> AsyncGenerator[Base]:
    """Bring the database to the newest schema and yield store and queue for the length of the block."""
    await upgrade(settings.database)
    database = Database(settings.database)
    queue = RedisQueue(connect(redis_url(settings)))
    try:
        yield Base(store=Store(database, now), queue=queue)
    finally:
        await queue.aclose()
        await database.aclose()


def redis_url(settings: Settings) -> str:
    """Return where Redis is.

    Raises:
        SettingsError: it is not set, and this process was not started by `sre-space up`.
    """
    if settings.redis_url is None:
        remedy = "Start the service with `sre-space up`, which brings a Redis of its own, or name one (redis://…)"
        raise SettingsError("REDIS_URL", "is not set", remedy)
    return settings.redis_url.get_secret_value()


def require_bus(settings: Settings) -> None:
    """Return if the bus that ENV asks for is named.

    Raises:
        SettingsError: it is not.
    """
    if settings.mode is Mode.LOCAL and settings.kafka_bootstrap_servers is None:
        remedy = "Name the Kafka of ENV=local (host:port), or leave ENV unset for the embedded bus"
        raise SettingsError("KAFKA_BOOTSTRAP_SERVERS", "is not set", remedy)
    if settings.mode is Mode.CLOUD and settings.redis_url is None:
        remedy = "Name the Redis of ENV=cloud (redis://…), or leave ENV unset for the embedded bus"
        raise SettingsError("REDIS_URL", "is not set", remedy)


async def open_bus(settings: Settings) -> Bus:
    """Return the event bus, which has answered.

    Raises:
        SettingsError: the bus that ENV asks for is not named.
        BusUnavailableError: it does not answer; says what to do.
    """
    require_bus(settings)
    if settings.mode is Mode.LOCAL:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters is raised; the rest comes every second
        bus, variable = KafkaBus(settings.kafka_bootstrap_servers or ""), "KAFKA_BOOTSTRAP_SERVERS"
    else:
        bus, variable = RedisStreamsBus(redis_url(settings)), "REDIS_URL"
    try:
        await bus.check()
    except BusUnavailableError as error:
        await bus.close()
        remedy = f"Start it, set {variable} to where it is, or leave ENV unset for the embedded bus"
        raise BusUnavailableError(f"The event bus of ENV={settings.mode} cannot be used. {error}. {remedy}.") from error
    return bus


def marker_secret(settings: Settings) -> SecretStr:
    """Return the secret that signs hidden markers: the webhook secret, so that there is one less to keep."""
    return settings.require_webhook_secrets()[0]


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches `host`; a name other than localhost counts as public."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def metrics_token(settings: Settings, host: str) -> tuple[bool, str | None]:
    """Return whether `/metrics` is served on `host` at all, and the bearer token that it wants."""
    if settings.metrics_token is not None:
        return True, settings.metrics_token.get_secret_value()
    return is_loopback(host), None


def query_token(settings: Settings) -> str | None:
    """Return the bearer token of Scout's query API: derived from the webhook secret, None on loopback.

    Raises:
        SettingsError: Scout is reached over the network and there is no webhook secret.
    """
    if is_loopback(settings.scout_host):
        return None
    return hmac.digest(marker_secret(settings).get_secret_value().encode(), b"sre-space scout query", "sha256").hex()
