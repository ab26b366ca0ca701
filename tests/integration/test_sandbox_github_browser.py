"""The page in a real browser, as narrow as a telephone."""

import importlib.util
import shutil
from pathlib import Path

from infra.sandbox.github.testing import stand_in
from tests.requirements import need

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_a_person_comments_and_sees_the_answer_without_reloading(tmp_path: Path) -> None:
    """Nothing overflows at 390 px, the form posts under this origin, answers of the bot appear by themselves."""
    chromium = shutil.which("chromium")
    installed = chromium is not None and importlib.util.find_spec("playwright") is not None
    need("chromium", installed, "apt install chromium && pip install playwright")
    playwright = importlib.import_module("playwright.sync_api")
    with stand_in(tmp_path / "gh") as site, playwright.sync_playwright() as driver, site.installation() as bot:
        long = "| a | b |\n|---|---|\n| " + "x" * 300 + " | y |\n\n```\n" + "z" * 300 + "\n```\n" + "w" * 300
        bot.post("/issues", json={"title": "q" * 90, "body": long}).raise_for_status()
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        for path in ("/acme/shop", "/acme/shop/issues", "/acme/shop/issues/1", "/acme/shop/commit/main"):
            page.goto(site.api_url + path)
            assert page.evaluate(OVERFLOW) == 0, path
        page.goto(f"{site.api_url}/acme/shop/issues/1")
        page.get_by_label("As").select_option("maria")
        page.get_by_label("Comment").fill("/approve")
        page.get_by_role("button", name="Comment").click()
        page.get_by_text("/approve").wait_for()
        page.get_by_label("Comment").fill("half a thought")
        bot.post("/issues/1/comments", json={"body": "merged, waiting for the deploy"}).raise_for_status()
        page.get_by_text("merged, waiting for the deploy").wait_for()
        assert page.get_by_label("Comment").input_value() == "half a thought"
        browser.close()
    assert problems == []
