"""Starts the quote service."""

from services.quote.app import create_app
from shop.server import run

run("quote", create_app)
