"""The dashboard in real Chromium, over the real web process, a real database and a real Scout."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.incident import Agent, Stage
from tests.support_dashboard import (
    XSS,
    bad_deploy,
    dry_run,
    few,
    fill,
    hostile,
    many,
    moved,
    resolved,
    waiting_for_approval,
)
from tests.support_site import apart, eventually, free_port, open_page, running_browser, running_scout, running_site
from tests.support_store import TestClock, open_store

CONTRAST = (Path(__file__).parents[1] / "contrast.js").read_text()
READABLE = 4.5
TOKEN = "a-token-to-sign-in-with"
PAGES = {
    "": ".rowlink",
    "incidents/inc-000010": ".waterfall",  # resolved
    "incidents/inc-000012": ".waterfall",  # escalated
    "incidents/inc-000014": ".suspect",
    "incidents/inc-000016": ".windows",  # verifying
    "incidents/inc-000018": ".diff",  # waiting for approval
    "incidents/inc-000900": ".waterfall",  # hostile
    "services": ".map",
    "scorecard": ".cards",
    "health": ".facts-list",
}


IS_FOCUSED = "element => element === document.activeElement"


def focused(locator):
    """Focus an element and return whether it has the focus: one that was drawn anew meanwhile has not."""
    locator.focus()
    return locator.evaluate(IS_FOCUSED)


async def story():
    """Return the incidents of the full site."""
    now = datetime.now(UTC)
    return [*await few(now), *await many(now, 50), hostile(now, await bad_deploy())]


async def stored(url, incident):
    """Store a newer version of an incident, as the worker does."""
    clock = TestClock()
    clock.time = datetime.now(UTC)
    async with open_store(url, clock) as store:
        known = await store.load(incident.id)
        await store.save(incident, known[1] if known else 0)


@pytest.fixture(scope="module")
def browser():
    """Return Chromium."""
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def full(tmp_path_factory, browser):
    """Return a site with 56 incidents and a Scout."""
    with (
        running_scout() as scout_port,
        running_site(tmp_path_factory.mktemp("full"), scout_port) as site,
    ):
        apart(fill(site.database, apart(story())))
        yield site


@pytest.fixture
def guarded(tmp_path, browser):
    """Return a site without incidents and without Scout, which asks for a token."""
    with running_site(tmp_path, free_port(), SRE_SPACE_DASHBOARD_TOKEN=TOKEN) as site:
        yield site


def hard_to_read(browser, page):
    """Return the texts of a page whose contrast against what is behind them is too low."""
    texts, coloured = page.evaluate(  # in one go: the page is live, and may change between two questions
        f"""() => {{
            const contrast = {CONTRAST};
            contrast.hide();
            const hidden = contrast.texts();
            document.adoptedStyleSheets = [];
            const coloured = contrast.texts();
            contrast.hide();
            return [hidden, coloured];
        }}"""
    )
    picture = base64.b64encode(page.screenshot(full_page=True)).decode()
    texts = [{**place, "colour": text["colour"]} for place, text in zip(texts, coloured, strict=True)]
    empty = browser.new_page()
    found = empty.evaluate(f"{CONTRAST}.measure", [picture, texts])
    empty.close()
    assert len(found) > 20
    return [(each["text"], round(each["ratio"], 2)) for each in found if each["ratio"] < READABLE]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_readable_fits_and_is_quiet(browser, full, theme, width):
    """No complaint in the console, nothing beyond the right edge, no text below 4.5 : 1 on what is behind it."""
    with open_page(browser, theme=theme, width=width) as (page, complaints):
        for path, selector in PAGES.items():
            page.goto(f"{full.url}/#/{path}")
            page.wait_for_selector(f"main > section {selector}")
            assert page.evaluate("document.documentElement.dataset.theme") == theme
            page.wait_for_selector("#live.tone-good")
            widest = page.evaluate("document.documentElement.scrollWidth")
            assert widest <= page.evaluate("innerWidth"), path
            assert hard_to_read(browser, page) == [], path
            page.evaluate("document.adoptedStyleSheets = []")
        assert complaints == []


def test_a_text_that_is_hard_to_read_is_noticed(browser, full):
    """The check above can fail: grey on grey is found."""
    with open_page(browser) as (page, _):
        page.goto(f"{full.url}/#/health")
        page.wait_for_selector(".facts-list")
        page.evaluate("document.querySelector('h1').style.color = '#b0b4c0'")
        assert [text for text, _ in hard_to_read(browser, page)] == ["Health"]


def test_text_of_strangers_stays_text(browser, full):
    """Markup in a title is shown as it is, and an address that is none is no link."""
    with open_page(browser) as (page, complaints):
        page.goto(f"{full.url}/#/incidents/inc-000900")
        page.wait_for_selector("text=What Scout noticed")
        assert XSS in page.inner_text("h1")
        assert page.title().startswith(XSS[:20])
        assert page.locator("main script, main img").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
        assert complaints == []


def test_the_plan_of_a_dry_run_is_shown_as_one(browser, guarded):
    """With its diff; it is not valid until anything, and waits for nobody."""
    apart(stored(guarded.database, moved(apart(dry_run()), datetime.now(UTC), 10)))
    with open_page(browser) as (page, complaints):
        page.goto(f"{guarded.url}/#/incidents/inc-000010")
        page.fill("#token", TOKEN)
        page.click("button")
        page.wait_for_selector(".diff")
        facts = page.locator(".panel", has=page.locator(".diff")).locator(".facts-list").inner_text()
        assert "Nothing was changed. This is what would have been proposed." in facts
        assert "Valid until" not in facts
        assert "Approvals" not in facts
        assert complaints == []


def test_the_keyboard_is_enough(browser, full):
    """Skip link, arrows through the list, Enter into an incident, evidence by its id, colours."""
    with open_page(browser) as (page, _):
        page.goto(f"{full.url}/")
        page.wait_for_selector(".rowlink")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        assert eventually(lambda: focused(page.locator(".rowlink").first)), "the list is drawn twice at the start"
        for key in ("ArrowDown", "ArrowDown", "ArrowUp", "End", "Home", "ArrowDown"):
            page.keyboard.press(key)
        # Asked of the page, not of a row that was found before: the list may be drawn anew between the two.
        assert page.evaluate("[...document.querySelectorAll('.rowlink')].indexOf(document.activeElement)") == 1
        assert page.locator('.rowlink[tabindex="0"]').count() == 1
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.wait_for_selector(".timeline")
        assert page.evaluate("document.activeElement.id") == "main"
        page.locator(".ids a").first.press("Enter")
        assert page.locator("tr.cited").count() == 1
        assert "#/incidents/" in page.url
        page.locator("#theme").press("Enter")
        page.locator("#theme").press("Enter")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_list_is_searched_filtered_and_paged(browser, full):
    """What is shown is what the server found."""
    with open_page(browser) as (page, _):
        page.goto(f"{full.url}/")
        page.wait_for_selector(".rowlink")
        assert page.locator(".rowlink").count() == 30
        page.click("text=Show more")
        assert eventually(lambda: page.locator(".rowlink").count() == 56)
        page.fill("input[type=search]", "#900")
        assert eventually(lambda: page.locator(".rowlink").count() == 1)
        page.fill("input[type=search]", "")
        assert eventually(lambda: page.locator(".rowlink").count() == 30)
        page.click("[data-which=waiting]")
        assert eventually(lambda: page.locator(".rowlink").count() == 1)
        assert "awaiting approval" in page.inner_text(".rowlink")


def test_the_map_is_scouts_word_and_goes_when_scout_does(browser, full):
    """A failing service is marked; without an answer nothing old is shown."""
    with open_page(browser) as (page, _):
        page.goto(f"{full.url}/#/services")
        page.wait_for_selector(".map [aria-label^='quote:']")
        assert eventually(lambda: page.locator(".map .tone-bad[aria-label^='quote:']").count() == 1, within_s=30)
        assert page.locator(".map .edge").count() == 2
        page.route("**/api/system", lambda route: route.abort())
        page.wait_for_selector("text=The map is not known now")
        assert page.locator(".map").count() == 0


def test_of_very_many_services_the_map_draws_those_that_matter(browser, full):
    """A failing one and the database behind it are among sixty of a thousand; the table has all of them."""

    def many(route):
        answer = route.fetch().json()
        calm = {"requests": 100, "errors": 0, "p50_ms": 1, "p95_ms": 2, "p99_ms": 3}
        names = [f"service-{number:04}" for number in range(1_000)]
        answer["scout"]["services"] = dict.fromkeys(names, calm) | {"service-0999": calm | {"errors": 50}}
        answer["scout"]["edges"] = [[name, "postgresql:shop"] for name in names]
        route.fulfill(json=answer)

    with open_page(browser) as (page, _):
        page.route("**/api/system", many)
        page.goto(f"{full.url}/#/services")
        page.wait_for_selector("text=60 of 1001 are drawn: those that fail, then the busiest.")
        assert page.locator(".map .node").count() == 60
        assert page.locator(".map .tone-bad[aria-label^='service-0999:']").count() == 1
        assert page.locator(".map [aria-label^='postgresql:shop:']").count() == 1
        assert page.locator("table tbody tr").count() == 1_000


def test_sign_in_live_updates_and_a_restart_of_the_server(browser, guarded):
    """From an empty page over a first incident to what happened while the server was down; each event once.

    Length: it is one story, and each step needs the one before.
    """
    with open_page(browser) as (page, complaints):
        page.goto(f"{guarded.url}/#/health")
        page.fill("#token", "not the token at all")
        page.click("button")
        page.wait_for_selector("[role=alert]")
        page.fill("#token", TOKEN)
        page.click("button")
        page.wait_for_selector("text=Scout does not answer")
        assert page.url.endswith("/#/health")
        page.click("nav >> text=Incidents")
        page.wait_for_selector("text=No incident yet")
        page.wait_for_selector("#live.tone-good")

        first = moved(apart(waiting_for_approval()), datetime.now(UTC), 10)
        apart(stored(guarded.database, first))
        page.wait_for_selector(".rowlink >> text=awaiting approval")
        page.wait_for_selector("h1 >> text=1 incident open")  # head and list are read apart
        page.wait_for_selector("#announce:has-text('waits for approval')", state="attached")

        streams = []
        page.on("request", lambda asked: streams.append(asked) if "/events" in asked.url else None)
        guarded.stop()
        page.wait_for_selector("#live:not(.tone-good)")
        done = first.move(Stage.APPROVED, Agent.HUMAN, "maria approved while nobody listened.", datetime.now(UTC))
        apart(stored(guarded.database, done.evolve(outgoing=())))
        complaints.clear()
        guarded.start()
        page.wait_for_selector(".rowlink >> text=approved", timeout=40_000)
        page.wait_for_selector("#live.tone-good")
        page.wait_for_selector("#announce:has-text('while nobody listened')", state="attached")
        resumed = [asked.all_headers().get("last-event-id") or asked.url.partition("after=")[2] for asked in streams]
        assert int(resumed[-1]) >= 1

        over = moved(apart(resolved()), datetime.now(UTC), 10)
        apart(stored(guarded.database, over))
        page.wait_for_selector(".rowlink >> text=resolved")
        page.click("text=Sign out")
        page.wait_for_selector("#token")
        assert page.context.cookies() == []
