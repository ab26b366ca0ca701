"""Starts the gateway service."""

from services.gateway.app import create_app
from shop.server import run

run("gateway", create_app)
