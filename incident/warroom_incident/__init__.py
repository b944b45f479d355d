"""What an incident is: events, state, the log on disk, the sync protocol, the practice.

Nothing here knows a network or a screen. The state and the protocol are pure: clock, ids and
randomness are passed in. Only the log, the replica, the outbox, a slot, and what those stand on,
touch a disk.
"""
