"""Inviting those who may begin studies."""
