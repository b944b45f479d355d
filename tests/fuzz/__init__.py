"""The fuzzer: bytes that find their own way into everything that reads what strangers write."""
