"""The migrations of the log's schema, in order; sqlite-utils runs each in one transaction."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database, Migrations

from .schema import LOG_TABLES

LOG = Migrations("warroom.log")


@LOG()
def create_tables(db: Database) -> None:
    """The first schema."""
    for statement in LOG_TABLES.split(";"):
        if statement.strip():
            db.conn.execute(statement)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the log's schema up to date."""
    LOG.apply(Database(connection, execute_plugins=False))
