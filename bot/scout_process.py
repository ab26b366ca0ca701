"""The scout process: OTLP in, detection every tick, signals out to the bus."""

from bot.allocator import suit_telemetry
from bot.app.bus import open_bus
from bot.app.senses import build_senses, tokens_of
from bot.observability.exporting import observing
from bot.process import run_process
from bot.scout_rules import load_rules
from bot.scout_serving import serve
from bot.settings import Settings


async def run_scout(settings: Settings) -> None:
    """Receive telemetry and watch it until SIGTERM or SIGINT.

    Raises:
        SettingsError: telemetry is to be taken from other machines without tokens, a port is taken, or the file
            with Scout's rules cannot be used.
        BusUnavailableError: the bus does not answer.
    """
    tokens, rules = tokens_of(settings), load_rules(settings.scout_config)
    with observing(settings, "scout", scraped=True) as own:
        bus = await open_bus(settings)
        senses = build_senses(settings, own, bus, tokens=tokens, rules=rules)
        suit_telemetry()
        try:
            await serve(senses.app, senses.receiver, settings, senses.watch.run())
        finally:
            await senses.watch.stop()
            await bus.close()


if __name__ == "__main__":
    run_process(run_scout)
