"""The soak: many consoles, two servers and every fault at random, for as long as one likes."""
