"""The loop with a second opinion: a real worker, a scripted endpoint of an LLM."""

import json
import sqlite3

import pytest

from agents.diagnosis import Diagnosis
from tests.e2e.test_demo import assert_pool_raised, demo
from tests.support_llm import llm_endpoint

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(900)]


def test_the_opinion_of_an_llm_is_in_the_analysis_and_changes_nothing_else(tmp_path, monkeypatch):
    """The worker asks once; the claim stands in the diagnosis and in the comment, the fix is that of a run without."""
    with llm_endpoint() as endpoint:
        for name, value in {"LLM_API_KEY": "any", "LLM_MODEL": "m", "LLM_BASE_URL": endpoint.url}.items():
            monkeypatch.setenv(name, value)
        (incident,) = demo(tmp_path)
        assert len(endpoint.asked) == 1
    assert_pool_raised(incident)
    (database,) = (tmp_path / "state").rglob("sre-space.db")
    with sqlite3.connect(database) as rows:
        ((stored,),) = rows.execute("SELECT data FROM incidents")
    diagnosis = Diagnosis.model_validate(json.loads(stored)["diagnosis"])
    assert diagnosis.opinion is not None
    assert diagnosis.opinion.used
    assert diagnosis.claims[-1].text == "second opinion: Requests wait for a connection"
    assert b"second opinion: Requests wait" in (tmp_path / "state" / "github" / "github.sqlite3").read_bytes()
