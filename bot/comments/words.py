"""The words for what the models call by a code."""

from collections.abc import Mapping
from typing import assert_never

from agents.markdown import code, escape
from agents.plan import RaiseLimit, Remedy, RevertCommit
from bot.comments.markup import sha
from telemetry.model import Detector

DETECTORS: Mapping[Detector, str] = {
    Detector.ERRORS: "errors",
    Detector.LATENCY: "latency",
    Detector.BURN_RATE: "error budget",
    Detector.TRAFFIC: "traffic",
    Detector.SATURATION: "saturation",
    Detector.NEW_SIGNATURE: "new error",
}


def remedy(found: Remedy) -> str:
    """Return what a remedy does, as a phrase that starts with a verb."""
    match found:
        case RaiseLimit():
            return (
                f"raise {code(found.path)} in {code(found.file)} from {found.current} to {found.target} "
                f"(its declared maximum is {found.maximum})"
            )
        case RevertCommit():
            return f"revert {sha(found.sha)} “{escape(found.title, 200)}”"
        case _:
            assert_never(found)


def capitalised(phrase: str) -> str:
    """Return the phrase as the beginning of a sentence."""
    return phrase[:1].upper() + phrase[1:]
