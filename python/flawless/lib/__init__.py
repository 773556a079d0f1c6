"""Modules other than the client that programs written for 0.4.5 import."""
