"""Passing requests on to the services: plain ASGI in front, a pooled client behind, a bounded number of requests between."""
