"""Claims without evidence that exists are dropped, whoever made them."""

from agents.diagnosis import Claim
from agents.rca.claims import supported
from agents.testing.scenarios import bad_deploy

BUNDLE = bad_deploy()


def test_claim_with_an_unknown_id_is_dropped():
    """One unknown id is enough: which part of the text it was to show cannot be told."""
    good = Claim(text="quote fails", evidence=("E1",))
    assert supported([good, Claim(text="the moon is full", evidence=("E1", "E999"))], BUNDLE) == (good,)


def test_claim_that_cites_nothing_is_dropped():
    """A claim without evidence is an opinion."""
    assert supported([Claim(text="trust me", evidence=())], BUNDLE) == ()


def test_the_same_claim_is_kept_once():
    """Repetition does not make a claim stronger."""
    claim = Claim(text="quote fails", evidence=("E1",))
    assert supported([claim, claim], BUNDLE) == (claim,)
