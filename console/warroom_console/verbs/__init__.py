"""What a responder can do, by area; each module registers its actions."""
