"""The product catalog, kept by hand"""
