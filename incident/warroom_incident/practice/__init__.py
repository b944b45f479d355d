"""The practice: what severities, statuses and roles mean, what to check, and what to tell whom.

Everything here is a default in plain words. Markdown files in a server's `runbooks/` and
`templates/` directories replace the shipped ones of the same name.
"""
