"""The page of operations: plain HTML without scripts or anything from elsewhere; its one style is named by hash in its policy."""

import base64
import hashlib
from html import escape
from itertools import groupby
from typing import Final

from gateway.documents.domain import Document, operations
from gateway.documents.engine.fields import BodyField, body_fields

STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0b6e99 }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 2rem 1rem 6rem }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem; text-transform: capitalize }
p { margin: .3rem 0; max-width: 46rem }
nav { display: flex; flex-wrap: wrap; gap: .4rem; margin: 1.2rem 0 }
nav a { border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .7rem; text-decoration: none; font-size: .9rem }
a { color: var(--accent) }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0 }
summary { cursor: pointer; display: grid; grid-template-columns: 4.5rem minmax(0, 1fr) auto; gap: .8rem; padding: .5rem .8rem }
summary:hover { background: var(--soft) }
summary span { opacity: .75; text-align: right; font-size: .9rem }
b { font: 600 .8rem/1.9 ui-monospace, monospace } code { font: .9rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
b.get { color: #1a7f37 } b.post { color: var(--accent) } b.put, b.patch { color: #9a6700 } b.delete { color: #cf222e }
dl { border-top: 1px solid var(--line); display: grid; gap: .3rem .8rem; grid-template-columns: 9rem 1fr }
dl { margin: 0; padding: .8rem }
dt { opacity: .7 } dd { margin: 0; min-width: 0; overflow-wrap: anywhere } ul { margin: 0; padding-left: 1.2rem }
.missing { border-left: 4px solid #cf222e; padding: .3rem .8rem; background: var(--soft) }
@media (max-width: 40rem) { summary { grid-template-columns: 4.5rem 1fr } summary span { grid-column: 2; text-align: left } }
"""

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(document: Document) -> str:
    """Return the HTML page of a merged document, its operations under the tags they carry."""
    tagged = sorted(operations(document), key=lambda found: (_tag(found[2]), found[0]))
    groups = [(tag, list(found)) for tag, found in groupby(tagged, key=lambda found: _tag(found[2]))]
    links = "".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag, _ in groups)
    sections = "".join(
        f'<h2 id="{escape(tag)}">{escape(tag)}</h2>' + "".join(_operation(*operation, document) for operation in found)
        for tag, found in groups
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Praxis API</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<h1>Praxis API</h1><p>{len(tagged)} operations. The same as OpenAPI 3.1: "
        '<a href="/v1/openapi.json">/v1/openapi.json</a>. Sign in with <code>POST /v1/sessions</code> and send the token as '
        f"<code>Authorization: Bearer</code>.</p>{_missing(document['x-praxis-missing'])}<nav>{links}</nav>{sections}</body></html>"
    )


def _tag(operation: Document) -> str:
    return str((operation.get("tags") or ["other"])[0])


def _missing(services: list[str]) -> str:
    if not services:
        return ""
    return f'<p class="missing">Not described, because they do not answer just now: {escape(", ".join(services))}.</p>'


def _operation(path: str, method: str, operation: Document, document: Document) -> str:
    facts = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in _facts(operation, document) if text)
    title = escape(str(operation.get("description") or operation.get("summary") or ""))
    return (
        f'<details><summary><b class="{method.lower()}">{method}</b><code>{escape(path)}</code>'
        f"<span>{title}</span></summary><dl>{facts}</dl></details>"
    )


def _facts(operation: Document, document: Document) -> list[tuple[str, str]]:
    permission = str(operation.get("x-praxis-permission", ""))
    use = operation.get("x-praxis-idempotency-key")
    key = str(use) if use in ("required", "never") else ""
    parameters = [f"{p['name']} ({p['in']})" for p in operation.get("parameters", [])]
    answers = [code for code in operation.get("responses", {}) if code.startswith("2")]
    return [
        ("Operation", _code(operation.get("operationId", ""))),
        ("Permission", "anybody" if operation.get("security") == [] else _code(permission)),
        ("Idempotency-Key", key),
        ("Parameters", escape(", ".join(parameters))),
        ("Body", _body(operation.get("requestBody", {}), document)),
        ("Answer", escape(", ".join(answers)) + " " + _fields(_first(operation, answers), document)),
    ]


def _body(body: Document, document: Document) -> str:
    content: list[Document] = list(body.get("content", {}).values())
    schema: Document = content[0].get("schema", {}) if content else {}
    name = _code(str(schema.get("$ref", "")).rsplit("/", 1)[-1])
    fields = "".join(_field(field) for field in body_fields(schema, document))
    return f"{name}<ul>{fields}</ul>" if fields else name


def _field(field: BodyField) -> str:
    need = ", required" if field.required else ""
    notes = f": {escape(field.notes)}" if field.notes else ""
    return f"<li>{_code(field.name)} {escape(field.kind)}{need}{notes}</li>"


def _first(operation: Document, answers: list[str]) -> Document:
    found: Document = operation["responses"][answers[0]] if answers else {}
    return found


def _fields(part: Document, document: Document) -> str:
    content: list[Document] = list(part.get("content", {}).values())
    name = str(content[0].get("schema", {}).get("$ref", "")).rsplit("/", 1)[-1] if content else ""
    known = document["components"]["schemas"].get(name, {})
    required = set(known.get("required", []))
    fields = ", ".join(_code(field) + ("" if field in required else "?") for field in known.get("properties", {}))
    return f"{_code(name)}: {fields}" if fields else _code(name)


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>" if text else ""
