"""Asking the services on the gateway's own account: their documents, their part of a story, whether they are ready."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import httpx

from gateway.proxy.tokens import TokenPurse
from gateway.settings import GatewaySettings
from praxis.kit.auth import Principal
from praxis.kit.observe import log, traceparent

Answers = dict[str, dict[str, Any]]
"""Service -> its JSON answer; services that did not answer are absent."""


class Services:
    """The services behind the gateway, each asked at the same time, each allowed to be missing."""

    def __init__(self, settings: GatewaySettings, tokens: TokenPurse) -> None:
        self._urls: Mapping[str, str] = settings.upstreams
        self._tokens = tokens
        self._client = httpx.AsyncClient(timeout=settings.ask_seconds, trust_env=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Return every service, in the order of the settings."""
        return tuple(self._urls)

    def missing(self, answers: Answers) -> list[str]:
        """Return the services that did not answer."""
        return [name for name in self.names if name not in answers]

    async def documents(self) -> Answers:
        """Return each service's OpenAPI document."""
        return await self._ask_all(lambda service: self._get(service, "/internal/openapi.json", {}))

    async def stories(self, story_id: UUID, principal: Principal) -> Answers:
        """Return each service's part of a story, asked for in the name of `principal`."""

        def ask(service: str) -> Awaitable[dict[str, Any]]:
            token = self._tokens.token(principal, service)
            return self._get(service, f"/internal/v1/stories/{story_id}", {"authorization": f"Bearer {token}"})

        return await self._ask_all(ask)

    async def unready(self) -> list[str]:
        """Return the services that do not say they are ready or degraded."""
        return self.missing(await self._ask_all(lambda service: self._get(service, "/readyz", {})))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _get(self, service: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        sent = {**headers, "traceparent": traceparent()}
        response = await self._client.get(self._urls[service].rstrip("/") + path, headers=sent)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer

    async def _ask_all(self, ask: Callable[[str], Awaitable[dict[str, Any]]]) -> Answers:
        answers = await asyncio.gather(*(self._ask(ask, service) for service in self.names))
        return {service: answer for service, answer in zip(self.names, answers, strict=True) if answer is not None}

    async def _ask(self, ask: Callable[[str], Awaitable[dict[str, Any]]], service: str) -> dict[str, Any] | None:
        try:
            return await ask(service)
        except (httpx.HTTPError, ValueError) as error:
            log.warning("service-silent", upstream=service, error=error)
            return None
