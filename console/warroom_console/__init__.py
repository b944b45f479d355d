"""The responder's side: local replica, link to the server, screens, command line."""
