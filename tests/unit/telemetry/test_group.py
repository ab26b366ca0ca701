"""Which findings are one incident, and when it is told."""

from collections.abc import Iterable
from dataclasses import replace

from telemetry.detect import DetectConfig, Finding
from telemetry.group import Group, Grouper
from telemetry.model import AnomalyState, Detector, SeriesKey, Severity

CONFIG = DetectConfig()
NEAR = {
    "gateway": frozenset({"gateway", "quote", "pricing"}),
    "quote": frozenset({"gateway", "quote", "pricing"}),
    "pricing": frozenset({"gateway", "quote", "pricing"}),
    "mail": frozenset({"mail"}),
}


def found(service: str, onset_s: int = 1000, detector: Detector = Detector.ERRORS) -> Finding:
    """Return a confirmed finding."""
    return Finding(
        id=f"a-{service}-{detector}-{onset_s}",
        key=SeriesKey(service=service, operation="GET /"),
        detector=detector,
        state=AnomalyState.CONFIRMED,
        onset_s=onset_s,
        confirmed_s=onset_s + 20,
        closed_s=None,
        last_bad_s=onset_s + 20,
        bad_now=True,
        severity=Severity.HIGH,
        reason="",
    )


def closed(finding: Finding, at_s: int) -> Finding:
    """Return the finding after it closed."""
    return replace(finding, state=AnomalyState.CLOSED, closed_s=at_s, bad_now=False)


def near(services: Iterable[str]) -> frozenset[str]:
    """Return the neighbours of some services."""
    return frozenset().union(*(NEAR[service] for service in services))


def told(grouper: Grouper, findings: list[Finding], now_s: int, *, released: bool = False) -> list[Group]:
    """Update the groups with the findings of a tick; `released` says that new versions came before them."""
    return grouper.update(findings, now_s, near, lambda _: released)


def test_first_signal_waits_for_the_symptoms():
    """What is confirmed within the settling time is told at once, with sequence 1."""
    grouper = Grouper(CONFIG)
    assert told(grouper, [found("gateway")], 1020) == []
    due = told(grouper, [found("gateway"), found("quote", 1005)], 1025)
    assert [(group.sequence, sorted(group.services)) for group in due] == [(1, ["gateway", "quote"])]
    assert told(grouper, [found("gateway"), found("quote", 1005)], 1030) == []


def test_later_finding_near_by_is_told_with_the_next_sequence():
    """The id stays."""
    grouper = Grouper(CONFIG)
    told(grouper, [found("gateway")], 1020)
    first = told(grouper, [found("gateway")], 1025)[0].id
    due = told(grouper, [found("gateway"), found("pricing", 1060)], 1080)
    assert [(group.id, group.sequence) for group in due] == [(first, 2)]


def test_unrelated_service_is_another_incident():
    """Same time, but no path between them."""
    grouper = Grouper(CONFIG)
    told(grouper, [found("gateway"), found("mail")], 1020)
    assert len(told(grouper, [found("gateway"), found("mail")], 1025)) == 2


def test_finding_of_long_before_is_another_incident():
    """More than 120 s apart."""
    grouper = Grouper(CONFIG)
    told(grouper, [found("gateway")], 1020)
    told(grouper, [found("gateway"), found("quote", 1000 - 121)], 1025)
    assert len(grouper.groups) == 2


def test_closing_of_all_findings_is_told_once():
    """One that is still open keeps the incident open."""
    grouper = Grouper(CONFIG)
    one, other = found("gateway"), found("quote")
    told(grouper, [one, other], 1020)
    told(grouper, [one, other], 1025)
    assert told(grouper, [closed(one, 1400), other], 1400) == []
    due = told(grouper, [closed(one, 1400), closed(other, 1410)], 1410)
    assert [(group.sequence, group.is_open) for group in due] == [(2, False)]
    assert told(grouper, [closed(one, 1400), closed(other, 1410)], 1415) == []


def test_finding_that_opens_again_opens_its_incident_again():
    """Flapping keeps one incident."""
    grouper = Grouper(CONFIG)
    one = found("gateway")
    told(grouper, [one], 1020)
    told(grouper, [closed(one, 1400)], 1400)
    due = told(grouper, [one], 1500)
    assert [(group.sequence, group.is_open) for group in due] == [(2, True)]
    assert len(grouper.groups) == 1


def test_twenty_flips_are_one_incident():
    """However often it opens and closes."""
    grouper = Grouper(CONFIG)
    one = found("gateway")
    for flip in range(20):
        told(grouper, [one], 1020 + 800 * flip)
        told(grouper, [closed(one, 1400 + 800 * flip)], 1400 + 800 * flip)
    assert len(grouper.groups) == 1


def test_finding_near_a_closed_incident_is_another_incident():
    """What is over takes nothing in."""
    grouper = Grouper(CONFIG)
    one = found("gateway")
    told(grouper, [one], 1020)
    told(grouper, [closed(one, 1060)], 1060)
    told(grouper, [closed(one, 1060), found("quote", 1065)], 1085)
    assert len(grouper.groups) == 2


def test_new_signature_joins_but_opens_nothing():
    """It supports other findings."""
    grouper = Grouper(CONFIG)
    novelty = found("quote", detector=Detector.NEW_SIGNATURE)
    told(grouper, [novelty], 1015)
    assert grouper.groups == ()
    told(grouper, [novelty, found("gateway")], 1020)
    told(grouper, [novelty, found("gateway")], 1025)
    assert [len(group.members) for group in grouper.groups] == [2]


def test_new_signature_of_a_new_version_opens_an_incident_when_it_still_comes_after_a_minute():
    """Not before, and what follows near by joins it."""
    grouper = Grouper(CONFIG)
    novelty = found("quote", detector=Detector.NEW_SIGNATURE)
    assert told(grouper, [novelty], 1075, released=True) == []
    assert grouper.groups == ()
    told(grouper, [novelty], 1080, released=True)
    told(grouper, [replace(novelty, last_bad_s=1100), found("gateway", 1100)], 1120, released=True)
    assert [group.services for group in grouper.groups] == [{"quote", "gateway"}]


def test_new_signature_of_a_new_version_that_came_and_went_opens_nothing():
    """A restart may cost a few failures that nobody has seen before."""
    grouper = Grouper(CONFIG)
    novelty = replace(found("quote", detector=Detector.NEW_SIGNATURE), bad_now=False)
    told(grouper, [novelty], 1200, released=True)
    assert grouper.groups == ()


def test_new_signature_of_a_new_version_joins_the_incident_near_by():
    """One that is unrelated in the graph is an incident beside it."""
    grouper = Grouper(CONFIG)
    told(grouper, [found("gateway")], 1020)
    findings = [found("gateway"), *(found(name, detector=Detector.NEW_SIGNATURE) for name in ("quote", "mail"))]
    told(grouper, findings, 1080, released=True)
    assert [group.services for group in grouper.groups] == [{"gateway", "quote"}, {"mail"}]


def test_group_id_is_the_same_for_the_same_telemetry():
    """A replay gives the same ids, another onset does not."""
    ids: list[str] = []
    for onset_s in (1000, 1000, 1005):
        grouper = Grouper(CONFIG)
        told(grouper, [found("gateway", onset_s)], 1020)
        ids.append(grouper.groups[0].id)
    assert ids[0] == ids[1] != ids[2]


def test_a_group_of_very_many_tells_those_that_matter():
    """Open findings come before closed ones and the root's before others; what is told stays in order of onset."""
    findings = [closed(found("root", 990), 1100), *(found("quote", 1000 + n) for n in range(5)), found("root", 1050)]
    group = Group(id="g", opened_s=1000, members={finding.id: finding for finding in findings})
    assert group.told("root", 100) == findings
    told_of = [(finding.key.service, finding.onset_s) for finding in group.told("root", 3)]
    assert told_of == [("quote", 1000), ("quote", 1001), ("root", 1050)]
