"""Orders, customers and products of a small shop"""
