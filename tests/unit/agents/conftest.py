"""Unit tests of the agents read the same few configurations hundreds of times: each is parsed once."""

import functools

import pytest

from agents import config


@pytest.fixture(scope="session", autouse=True)
def _each_configuration_is_parsed_once():
    """Let `load` keep what `parse` returned for a text; both are pure, and tests of `parse` call it itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "parse", functools.cache(config.parse))
        yield
