"""Quotes: what a basket line costs a customer."""
