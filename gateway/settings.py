"""What the gateway is told from outside, and the one table of its limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self

from pydantic import PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

Networks = tuple[IPv4Network | IPv6Network, ...]


def networks(text: str) -> Networks:
    """Read address blocks in CIDR notation, separated by commas; raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


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
    gateway_sign_in_rate: PositiveInt = 1
    gateway_sign_in_burst: PositiveInt = 10
    gateway_trusted_proxies: str = ""
    gateway_metrics_open: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """How often one caller may ask: `burst` at once, refilled `per_second`."""

    name: str
    per_second: int
    burst: int


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Addresses of the services, rates per caller, and what one upstream may hold. Times in seconds.

    `trusted_proxies` are the peers whose X-Forwarded-For is believed; `metrics_open` answers /metrics to other machines too.
    """

    upstreams: Mapping[str, str]
    staff: Rate = Rate("staff", 200, 400)
    client: Rate = Rate("client", 50, 100)
    address: Rate = Rate("address", 20, 100)
    sign_in: Rate = Rate("sign-in", 1, 10)
    trusted_proxies: Networks = ()
    metrics_open: bool = False
    body_seconds: float = 10.0
    upstream_seconds: float = 10.0
    connect_seconds: float = 1.0
    ask_seconds: float = 2.0
    send_seconds: float = 10.0
    ready_kept_seconds: float = 1.0
    description_kept_seconds: float = 5.0
    running: int = 32
    waiting: int = 256
    waiting_seconds: float = 1.0

    @classmethod
    def load(cls) -> Self:
        """Read PRAXIS_<SERVICE>_URL of every service and PRAXIS_GATEWAY_{STAFF,CLIENT,ADDRESS,SIGN_IN}_{RATE,BURST},
        PRAXIS_GATEWAY_TRUSTED_PROXIES (blocks like 10.0.0.0/8, separated by commas) and PRAXIS_GATEWAY_METRICS_OPEN.
        """
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
            sign_in=Rate("sign-in", told.gateway_sign_in_rate, told.gateway_sign_in_burst),
            trusted_proxies=networks(told.gateway_trusted_proxies),
            metrics_open=told.gateway_metrics_open,
        )
