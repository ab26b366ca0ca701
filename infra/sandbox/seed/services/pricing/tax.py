"""Tax rates from the tax service, looked up side by side."""

import asyncio
from typing import Any

from shop.http import ServiceClient


class TaxRates:
    """Adds up the rates of all jurisdictions of a region."""

    def __init__(self, tax: ServiceClient, settings: dict[str, Any]) -> None:
        self._tax = tax
        self._jurisdictions = settings["jurisdictions"]
        self._max_concurrent_lookups = settings["max_concurrent_lookups"]

    def knows(self, region: str) -> bool:
        """Returns whether the shop sells to the region."""
        return region in self._jurisdictions

    async def rate_basis_points(self, region: str) -> int:
        """Returns the tax rate of a region, in hundredths of a percent.

        Raises:
            shop.http.DownstreamError: The tax service failed or did not answer in time.
        """
        slots = asyncio.Semaphore(self._max_concurrent_lookups)

        async def look_up(jurisdiction: str) -> int:
            async with slots:
                rate = await self._tax.get_json(
                    "/rates/{region}/{jurisdiction}", f"/rates/{region}/{jurisdiction}", {}
                )
            return rate["basis_points"]

        return sum(await asyncio.gather(*(look_up(name) for name in self._jurisdictions[region])))
