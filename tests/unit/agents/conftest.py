"""Unit tests of the agents read the same few YAML files hundreds of times: each is parsed once."""

import functools

import pytest

from agents import config
from agents.remedies import settings_file


@pytest.fixture(scope="session", autouse=True)
def _each_file_is_parsed_once():
    """Keep what pure functions returned for a configuration, and for a place in a settings file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "parse", functools.lru_cache(config.parse))
        patch.setattr(settings_file, "span_in_yaml", functools.lru_cache(settings_file.span_in_yaml))
        yield
