"""The door for machines: takes alert bodies in over HTTP, keeps them, reads them afterwards."""
