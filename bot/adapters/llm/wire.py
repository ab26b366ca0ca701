"""A chat completion as far as it is used; endpoints call themselves compatible and send what they like."""

from pydantic import BaseModel, Field


class Message(BaseModel):
    """What the model wrote, or that it refused."""

    content: str | None = None
    refusal: str | None = None


class Choice(BaseModel):
    """One answer and why it ended."""

    message: Message
    finish_reason: str | None = None


class Usage(BaseModel):
    """What the endpoint says it counted."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class Reply(BaseModel):
    """The body of an answer."""

    choices: list[Choice] = Field(min_length=1)
    usage: Usage | None = None

    @property
    def text(self) -> str:
        """Return what the model wrote."""
        return self.choices[0].message.content or ""

    @property
    def problem(self) -> str:
        """Return why the text cannot be used, or an empty string."""
        choice = self.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            return "it refused to answer"
        if choice.finish_reason == "length":
            return "its answer was cut off"
        if not self.text.strip():
            return "its answer is empty"
        return ""
