"""What a server takes of the machine, and what it leaves there."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.server.running import server_process


@pytest.mark.parametrize("limit", [resource.RLIMIT_NOFILE, resource.RLIMIT_CORE])
async def test_a_server_opens_all_the_files_that_it_may_and_leaves_no_core(
    home: Path, limit: int
) -> None:
    soft, most = resource.getrlimit(limit)
    wanted, given = (most, 512) if limit == resource.RLIMIT_NOFILE else (0, most)
    resource.setrlimit(limit, (given, most))
    try:
        async with server_process(home) as process:
            assert resource.prlimit(process.pid, limit) == (wanted, most)
    finally:
        resource.setrlimit(limit, (soft, most))
