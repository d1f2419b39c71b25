"""Documents: one OpenAPI description of everything behind the gateway, and a page to read it."""
