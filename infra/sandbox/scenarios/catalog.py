"""Every scenario by its name."""

from infra.sandbox.scenarios import bad_deploy, db_pool_exhaustion, latency_spike
from infra.sandbox.scenarios.model import Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        db_pool_exhaustion.SCENARIO,
        db_pool_exhaustion.NEVER_RECOVER,
        bad_deploy.SCENARIO,
        latency_spike.SCENARIO,
    )
}
