"""Starts the pricing service."""

from services.pricing.app import create_app
from shop.server import run

run("pricing", create_app)
