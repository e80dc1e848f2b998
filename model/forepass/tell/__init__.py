"""Answers as documents, text and figures."""
