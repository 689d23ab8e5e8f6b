"""Members of a sports club, and what they pay"""
