"""What travels between services: one module per publisher, frozen classes, schemas and golden payloads beside them."""
