"""Asking the services on the gateway's own account: their documents, their part of a story, whether they are ready."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict, Field

from gateway.proxy.tokens import TokenPurse
from gateway.settings import GatewaySettings
from praxis.kit.auth import Principal
from praxis.kit.health import HealthOut
from praxis.kit.observe import log, traceparent
from praxis.kit.story import StoryOut


class DescriptionOut(BaseModel):
    """An OpenAPI document, as far as the gateway relies on it."""

    model_config = ConfigDict(extra="allow")

    openapi: Annotated[str, Field(pattern=r"^3\.1\.")]
    paths: dict[str, dict[str, Any]]


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class Services:
    """The services behind the gateway, each asked at the same time, each allowed to be missing.

    Answers are service -> answer; a service that does not answer, or not with what it should, is absent.
    """

    def __init__(self, settings: GatewaySettings, tokens: TokenPurse) -> None:
        self._urls: Mapping[str, str] = settings.upstreams
        self._tokens = tokens
        self._client = httpx.AsyncClient(timeout=settings.ask_seconds, trust_env=False)

    def missing(self, answers: Mapping[str, object]) -> list[str]:
        """Return the services that did not answer, in the order of the settings."""
        return [name for name in self._urls if name not in answers]

    async def documents(self) -> dict[str, dict[str, Any]]:
        """Return each service's OpenAPI document."""
        found = await self._ask_all(lambda service: self._get(service, "/internal/openapi.json", DescriptionOut))
        return {service: document.model_dump() for service, document in found.items()}

    async def stories(self, story_id: UUID, principal: Principal) -> dict[str, StoryOut]:
        """Return each service's part of a story, asked for in the name of `principal`."""

        def ask(service: str) -> Awaitable[StoryOut]:
            token = self._tokens.token(principal, service)
            path = f"/internal/v1/stories/{story_id}"
            return self._get(service, path, StoryOut, {"authorization": f"Bearer {token}"})

        return await self._ask_all(ask)

    async def unready(self) -> list[str]:
        """Return the services that do not say they are ready or degraded."""
        return self.missing(await self._ask_all(lambda service: self._get(service, "/readyz", HealthOut)))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _get(
        self, service: str, path: str, answer: type[AnswerT], headers: Mapping[str, str] | None = None
    ) -> AnswerT:
        sent = {**(headers or {}), "traceparent": traceparent()}
        response = await self._client.get(self._urls[service].rstrip("/") + path, headers=sent)
        return answer.model_validate_json(response.raise_for_status().content)

    async def _ask_all(self, ask: Callable[[str], Awaitable[AnswerT]]) -> dict[str, AnswerT]:
        answers = await asyncio.gather(*(self._ask(ask, service) for service in self._urls))
        return {service: answer for service, answer in zip(self._urls, answers, strict=True) if answer is not None}

    async def _ask(self, ask: Callable[[str], Awaitable[AnswerT]], service: str) -> AnswerT | None:
        try:
            return await ask(service)
        except (httpx.HTTPError, ValueError) as error:
            log.warning("service-silent", upstream=service, error=error)
            return None
