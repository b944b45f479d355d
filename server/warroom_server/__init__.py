"""The room: admits events, makes them durable, feeds every console, takes alerts in."""
