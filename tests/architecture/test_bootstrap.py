"""Setting up works where pip works: what pip is told, uv is told."""

import ast

from praxis.runtime.tooling.bootstrap import parse_settings, uv_environment
from tests.architecture.source import ROOT

SHOWN = """global.cert='/etc/ca.pem'
global.index-url='https://one.example/simple'
global.extra-index-url='https://two.example/simple\\nhttps://three.example/simple'
:env:.index-url='https://four.example/simple'
:env:.find-links='/wheels /more'
"""


def test_pip_settings_reach_uv_and_the_environment_wins_over_files():
    told = uv_environment(parse_settings(SHOWN), {"PATH": "/bin"})
    assert told == {
        "PATH": "/bin",
        "UV_DEFAULT_INDEX": "https://four.example/simple",
        "UV_INDEX": "https://two.example/simple https://three.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels,/more",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }


def test_what_uv_was_told_itself_stays():
    told = uv_environment(
        {"index-url": "https://pip.example/simple"}, {"UV_DEFAULT_INDEX": "https://uv.example/simple"}
    )
    assert told == {"UV_DEFAULT_INDEX": "https://uv.example/simple"}


def test_without_settings_nothing_is_added():
    assert uv_environment(parse_settings(""), {}) == {}


def test_an_old_python_can_read_the_file_that_tells_which_one_is_needed():
    text = (ROOT / "praxis/runtime/tooling/bootstrap.py").read_text("utf-8")
    ast.parse(text, feature_version=(3, 7))
