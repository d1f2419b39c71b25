"""The route table: every path has one service, by whole segments."""

from collections import Counter
from importlib import import_module

import pytest

from gateway.app import service
from gateway.proxy.routes import PREFIXES, prefix_of
from praxis.kit.settings import SERVICES


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/patients", "scheduling"),
        ("/v1/patients/7/x/y", "scheduling"),
        ("/v1/ledger/trial-balance", "billing"),
        ("/v1/staff-members/", "staff"),
        ("/v1/stock", "inventory"),
    ],
)
def test_a_path_belongs_to_the_service_of_its_first_segments(path, expected):
    entry = prefix_of(path)
    assert entry is not None
    assert entry.service == expected


@pytest.mark.parametrize(
    "path", ["/", "", "/v1", "/v1/", "/v1/patientsx", "/V1/patients", "/internal/v1/patients", "//v1/patients"]
)
def test_other_paths_belong_to_no_service(path):
    assert prefix_of(path) is None


def test_no_prefix_is_given_twice_and_every_service_has_some():
    counted = Counter(path for paths in PREFIXES.values() for path in paths)
    assert set(PREFIXES) == set(SERVICES)
    assert set(counted.values()) == {1}


def test_the_gateways_own_paths_are_not_in_the_table():
    own = [route.path for router in service.routers for route in router.routes]
    assert "/v1/sessions" in own
    assert [path for path in own if prefix_of(path)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_public_path_of_a_service_leads_to_it_and_no_prefix_of_its_is_unused(name):
    routers = import_module(f"services.{name}.app").service.routers
    paths = [route.path for router in routers for route in router.routes if not route.path.startswith("/internal/")]
    found = {path: prefix_of(path) for path in paths}
    assert {path for path, prefix in found.items() if prefix is None or prefix.service != name} == set()
    assert {prefix.path for prefix in found.values() if prefix} == set(PREFIXES[name])
