"""Who may see the dashboard."""

import pytest

from dashboard.access import COOKIE, SESSION_S, TRIES, Access, is_loopback_name
from tests.unit.dashboard.conftest import client_of

TOKEN = "correct-horse-battery"


class Clock:
    """A clock that a test moves."""

    now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """Return a clock."""
    return Clock()


@pytest.fixture
async def guarded(read, clock):
    """Return a client of a dashboard with sign-in."""
    async with client_of(read, access=Access(TOKEN, clock=clock)) as client:
        yield client


async def sign_in(client, token=TOKEN, **headers):
    """Send the form."""
    return await client.post("/login", data={"token": token}, headers=headers)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "[::1]:80", "LOCALHOST", "a.localhost"])
def test_names_of_this_machine_are_taken(host):
    """With and without port."""
    assert is_loopback_name(host)


@pytest.mark.parametrize(
    "host", ["", "evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80", "10.0.0.1", "[::2]"]
)
def test_other_names_are_not(host):
    """A name that resolves to this machine is not a name of this machine."""
    assert not is_loopback_name(host)


@pytest.mark.parametrize("path", ["/", "/api/overview", "/api/system", "/events"])
async def test_a_rebound_name_sees_nothing(client, path):
    """DNS rebinding: the browser thinks that it is same-origin, the Host tells."""
    response = await client.get(path, headers={"host": "evil.test"})
    assert response.status_code == 421
    assert "SRE_SPACE_DASHBOARD_TOKEN" in response.text


@pytest.mark.parametrize("path", ["/api/overview", "/api/incidents/x", "/api/system", "/events"])
async def test_without_sign_in_no_data_is_given(guarded, path):
    """401, with a way to sign in."""
    assert (await guarded.get(path)).status_code == 401


async def test_the_page_leads_to_the_form(guarded):
    """A person is not left with an error."""
    response = await guarded.get("/")
    assert (response.status_code, response.headers["location"]) == (303, "/login")
    form = await guarded.get("/login")
    assert "form-action 'self'" in form.headers["content-security-policy"]


async def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(guarded):
    """It opens the data, and it is not the token."""
    response = await sign_in(guarded)
    cookie = response.headers["set-cookie"]
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert (await guarded.get("/api/overview")).status_code == 200
    await guarded.post("/logout")
    assert (await guarded.get("/api/overview")).status_code == 401


async def test_over_https_the_cookie_stays_on_https(read):
    """Secure is set when the request came over TLS."""
    async with client_of(read, access=Access(TOKEN)) as client:
        client.base_url = "https://dashboard.example"
        assert "Secure" in (await sign_in(client)).headers["set-cookie"]


async def test_a_session_ends(guarded, clock):
    """After its time the cookie is worth nothing, whatever the browser keeps."""
    await sign_in(guarded)
    clock.now += SESSION_S + 1
    assert (await guarded.get("/api/overview")).status_code == 401


@pytest.mark.parametrize("forged", ["", "x", "9999999999.", "9999999999.00", "½.00", "9999999999." + "0" * 64])
async def test_a_forged_session_is_worth_nothing(guarded, forged):
    """The seal is checked first."""
    response = await guarded.get("/api/overview", headers={"cookie": f"{COOKIE}={forged}".encode()})
    assert response.status_code == 401


async def test_a_session_of_another_token_is_worth_nothing(guarded):
    """Changing the token signs everybody out."""
    other = Access("another-token-entirely").sign_in("another-token-entirely")
    assert (await guarded.get("/api/overview", headers={"cookie": f"{COOKIE}={other}"})).status_code == 401


async def test_programs_send_the_token_itself(guarded):
    """As a bearer token."""
    assert (await guarded.get("/api/overview", headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200
    assert (await guarded.get("/api/overview", headers={"authorization": "Bearer no"})).status_code == 401


async def test_guessing_is_slowed_down(guarded, clock):
    """After some wrong tokens even the right one waits a minute."""
    for _ in range(TRIES):
        assert (await sign_in(guarded, "wrong")).status_code == 403
    refused = await sign_in(guarded)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    clock.now += 61
    assert (await sign_in(guarded)).status_code == 303


async def test_a_form_of_another_site_is_refused(guarded):
    """Nobody is signed in or out from elsewhere."""
    assert (await sign_in(guarded, origin="https://evil.test")).status_code == 403
    assert (await sign_in(guarded, origin="http://127.0.0.1:8080")).status_code == 303


async def test_a_huge_form_is_not_read(guarded):
    """The body is capped."""
    assert (await sign_in(guarded, "x" * 5000)).status_code == 413


async def test_without_a_token_there_is_nothing_to_sign_in_to(client):
    """On loopback there is no form."""
    assert (await client.get("/login")).status_code == 404
