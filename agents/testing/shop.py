"""The sandbox's repository in memory: three services, a configuration, and the commits that break it."""

from collections.abc import Mapping

from agents.testing.forge import FakeForge
from agents.testing.github import GitHub

CONFIG = """\
version: 1
services:
  gateway: {paths: ["services/gateway/**"], depends_on: [quote]}
  quote:
    paths: ["services/quote/**"]
    depends_on: [pricing]
    knobs:
      - name: database pool
        file: services/quote/settings.yaml
        path: database.pool_size
        maximum: 20
        remedies: [db_pool_exhaustion]
  pricing: {paths: ["services/pricing/**"]}
"""
QUOTE_SETTINGS = """\
# Settings of the quote service.
database:
  # Connections to the quote database.
  pool_size: 2
  pool_timeout_s: 0.25
"""
PRICING_SETTINGS = """\
tax:
  max_concurrent_lookups: 8
"""
DISCOUNTS = """\
def bulk_discount_cents(unit_price_cents, quantity):
    return unit_price_cents * quantity * 5 // 100


def total_cents(unit_price_cents, quantity):
    return unit_price_cents * quantity - bulk_discount_cents(unit_price_cents, quantity)
"""
SETTINGS_FILE = "services/quote/settings.yaml"
DISCOUNTS_FILE = "services/quote/discounts.py"


def with_autonomy(level: str) -> str:
    """Return the shop's configuration with that level of autonomy."""
    return CONFIG.replace("services:", f"autonomy: {level}\nservices:", 1)


def files_of(config: str | None = CONFIG) -> dict[str, str]:
    """Return the files of the shop's first revision by path; without a configuration at None."""
    files = {
        SETTINGS_FILE: QUOTE_SETTINGS,
        "services/pricing/settings.yaml": PRICING_SETTINGS,
        DISCOUNTS_FILE: DISCOUNTS,
        "services/quote/app.py": "def quote(): ...\n",
        "shop/http.py": "def get(): ...\n",
        "README.md": "# shop\n",
    }
    return files if config is None else {**files, ".github/sre-space.yml": config}


class Shop:
    """The repository acme/shop with a first revision; every method pushes one commit and returns its SHA."""

    def __init__(self, config: str | None = CONFIG, *, files: Mapping[str, str] | None = None) -> None:
        self.github = GitHub()
        self.forge = FakeForge(self.github)
        self.first = self.commit("First revision", dict(files or files_of(config)))

    @property
    def head(self) -> str:
        """Return the SHA of the default branch's head."""
        return self.github.git.branches[self.github.default_branch]

    def commit(self, message: str, files: dict[str, str | None], author: str = "dana") -> str:
        """Push a commit on the default branch."""
        return self.github.git.commit(files, message=message, author=author, at=self.github.now())

    def write_docs(self) -> str:
        """Change what cannot break anything."""
        return self.commit("Explain discounts", {"README.md": "# shop\nDiscounts.\n"})

    def break_discounts(self) -> str:
        """Break the bulk discount."""
        broken = DISCOUNTS.replace("* 5 // 100", '* "5" // 100')
        return self.commit("Take the discount from a table (#12)", {DISCOUNTS_FILE: broken})

    def slow_down_pricing(self) -> str:
        """Make pricing look up one tax rate after the other."""
        slow = PRICING_SETTINGS.replace("8", "1")
        return self.commit("Be gentle to the tax service (#31)", {"services/pricing/settings.yaml": slow})

    def set_pool(self, size: int) -> str:
        """Set the pool of quote."""
        settings = QUOTE_SETTINGS.replace("pool_size: 2", f"pool_size: {size}")
        return self.commit(f"Set the pool to {size}", {SETTINGS_FILE: settings})
