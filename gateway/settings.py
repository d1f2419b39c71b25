"""What the gateway is told from outside, and the one table of its limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PRAXIS_", extra="ignore")

    scheduling_url: str
    inventory_url: str
    staff_url: str
    billing_url: str
    gateway_staff_rate: PositiveInt = 200
    gateway_staff_burst: PositiveInt = 400
    gateway_client_rate: PositiveInt = 50
    gateway_client_burst: PositiveInt = 100
    gateway_address_rate: PositiveInt = 20
    gateway_address_burst: PositiveInt = 100


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one caller may ask: `burst` at once, refilled `per_second`."""

    name: str
    per_second: int
    burst: int


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Addresses of the services, rates per caller, and what one upstream may hold. Times in seconds."""

    upstreams: Mapping[str, str]
    staff: Rate = Rate("staff", 200, 400)
    client: Rate = Rate("client", 50, 100)
    address: Rate = Rate("address", 20, 100)
    body_seconds: float = 10.0
    upstream_seconds: float = 10.0
    connect_seconds: float = 1.0
    ask_seconds: float = 2.0
    running: int = 32
    waiting: int = 256
    waiting_seconds: float = 1.0

    @classmethod
    def load(cls) -> Self:
        """Read PRAXIS_<SERVICE>_URL of every service and PRAXIS_GATEWAY_{STAFF,CLIENT,ADDRESS}_{RATE,BURST}."""
        told = _Environment()
        return cls(
            upstreams={
                "scheduling": told.scheduling_url,
                "inventory": told.inventory_url,
                "staff": told.staff_url,
                "billing": told.billing_url,
            },
            staff=Rate("staff", told.gateway_staff_rate, told.gateway_staff_burst),
            client=Rate("client", told.gateway_client_rate, told.gateway_client_burst),
            address=Rate("address", told.gateway_address_rate, told.gateway_address_burst),
        )
