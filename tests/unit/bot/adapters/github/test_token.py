"""GitHub with a given token: it is used as it is, and nothing is asked that only an App may ask."""

import httpx
import pytest
from pydantic import SecretStr

from agents.errors import ForgeRefusedError
from bot.adapters.github import payloads
from bot.adapters.github.token import TokenAccess, connect_with_token

BOT = "github-actions[bot]"
REPOSITORY = {"id": 4, "name": "shop", "owner": {"login": "acme", "id": 1, "type": "User"}, "default_branch": "main"}


class Answers:
    """Answers each request with the next answer; the last one stays."""

    def __init__(self, *answers):
        self.sent, self._answers = [], list(answers)

    def __call__(self, request):
        self.sent.append(request)
        status, body = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return httpx.Response(status, json=body)


def forge(answers):
    """Return the adapter over these answers."""
    access = TokenAccess("https://gh.example/api/v3", SecretStr("t0ken"), BOT)
    return connect_with_token(access, inner=httpx.MockTransport(answers))


async def test_a_repository_is_resolved_with_the_token_alone():
    """No App, no installation: one request, with the token."""
    answers = Answers((200, REPOSITORY))
    repo = await forge(answers).resolve("acme/shop")
    assert (repo.full_name, repo.id, repo.installation_id) == ("acme/shop", 4, 0)
    assert [request.url.path for request in answers.sent] == ["/api/v3/repos/acme/shop"]
    assert answers.sent[0].headers["authorization"] == "Bearer t0ken"


async def test_a_token_that_is_refused_is_tried_no_third_time():
    """Nobody here can renew it; GitHub's refusal is passed on."""
    answers = Answers((401, {"message": "Bad credentials"}))
    with pytest.raises(ForgeRefusedError, match="Bad credentials"):
        await forge(answers).resolve("acme/shop")
    assert len(answers.sent) == 2


async def test_what_only_an_app_may_ask_is_not_asked():
    """Without an App's key there is no JWT; nothing is sent."""
    answers = Answers((200, {}))
    with pytest.raises(ForgeRefusedError, match="only a GitHub App"):
        await forge(answers)._client.get(None, "/app", payloads.App)
    assert answers.sent == []


@pytest.mark.parametrize(("login", "ours"), [(BOT, True), ("GitHub-Actions[bot]", True), ("maria", False)])
async def test_ours_is_what_appears_under_the_tokens_login(login, ours):
    """Marks tell the rest: another workflow of the repository writes under the same name."""
    user = payloads.User(login=login, id=1, type="Bot")
    item = payloads.Comment.model_validate(
        {
            "id": 1,
            "body": "",
            "user": user,
            "html_url": "u",
            "created_at": "2026-03-02T09:30:00Z",
            "updated_at": "2026-03-02T09:30:00Z",
        }
    )
    assert await forge(Answers((200, {}))).account.wrote(item) is ours
