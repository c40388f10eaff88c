"""What village staff do and see in their console: accounts, roles, and the record of all of it.

Nobody acts here without a permission, which the core asks for itself (see `accounts.require`), and
nobody looks at another's conversation without that being written down (see `audit`).
"""
