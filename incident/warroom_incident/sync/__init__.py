"""The sync protocol: one state machine per end, no sockets, no clock, no disk."""
