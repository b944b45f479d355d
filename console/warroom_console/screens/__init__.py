"""The full-screen views: the lobby and the incident."""
