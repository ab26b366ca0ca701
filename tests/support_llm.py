"""A scripted endpoint of an LLM, on a real port."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from agents.testing.llm import answer
from tests.support_redis import free_port

GOOD = answer(("Requests wait for a connection", ("E1",)), ranking=["C1"])


class Endpoint:
    """A scripted chat-completions endpoint; `script` makes each answer from the body of the question."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, Any]] = []
        self.script: Callable[[dict[str, Any]], Any] = lambda body: completion(GOOD)


def completion(
    content: str | None, finish: str = "stop", usage: tuple[int, int] = (1200, 80), **message: Any
) -> Response:
    """Return a chat completion as servers write it."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    counted = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return JSONResponse(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": counted}
    )


@contextmanager
def llm_endpoint() -> Iterator[Endpoint]:
    """Yield the endpoint on a loopback port."""
    port = free_port()
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1")
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body = await request.json()
        endpoint.asked.append(body)
        made = endpoint.script(body)
        return await made if asyncio.iscoroutine(made) else made

    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield endpoint
    server.should_exit = True
    thread.join(10)
