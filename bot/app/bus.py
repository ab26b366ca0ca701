"""The event bus that ENV asks for."""

import logging

from bot.app.truth import redis_url
from bot.settings import Mode, Settings, SettingsError
from telemetry.bus import Bus, KafkaBus, RedisStreamsBus
from telemetry.errors import BusUnavailableError


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
