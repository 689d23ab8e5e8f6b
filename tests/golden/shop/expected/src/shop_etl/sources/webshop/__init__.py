"""Nightly export of the web shop"""
