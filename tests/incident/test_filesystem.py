"""A database on another machine's file system is refused with the way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from warroom_incident import filesystem
from warroom_incident.filesystem import kind_of, network_name, network_under
from warroom_incident.log import Log
from warroom_incident.replica import Replica
from warroom_incident.schema import StorageError

MOUNTS = """\
21 26 0:20 / /proc rw,nosuid - proc proc rw
26 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 26 0:45 / /home rw,relatime shared:20 master:1 - nfs4 filer:/export/home rw,vers=4.2
41 26 0:46 / /mnt/over\\040there rw - fuse.sshfs ana@host:/ rw
42 26 0:47 / /scratch rw - tmpfs tmpfs rw
garbage
"""


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("nfs", "NFS"),
        ("nfs4", "NFS"),
        ("cifs", "SMB"),
        ("smb3", "SMB"),
        ("fuse.sshfs", "SSHFS"),
        ("ext4", None),
        ("xfs", None),
        ("tmpfs", None),
        ("overlay", None),
        ("fuse.fuse-overlayfs", None),
        ("fuseblk", None),
        ("", None),
    ],
)
def test_what_is_on_the_network_is_told_by_its_type(kind: str, name: str | None) -> None:
    assert network_name(kind) == name


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        ((254, 1), "ext4"),
        ((0, 45), "nfs4"),
        ((0, 46), "fuse.sshfs"),
        ((0, 47), "tmpfs"),
        ((7, 7), ""),
    ],
)
def test_the_type_is_that_of_the_directorys_device(device: tuple[int, int], kind: str) -> None:
    assert kind_of(MOUNTS, os.makedev(*device)) == kind


def test_a_local_directory_is_fine_and_so_is_a_system_that_does_not_tell(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert network_under(home) is None
    monkeypatch.setattr(filesystem, "MOUNTS", home / "nothing")
    assert network_under(home) is None
    assert network_under(home / "gone") is None


def test_log_and_replica_are_refused_on_the_network_with_the_way_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = home.stat().st_dev
    line = f"40 26 {os.major(device)}:{os.minor(device)} / /home rw - nfs4 filer:/home rw\n"
    (home / "mounts").write_text(line)
    monkeypatch.setattr(filesystem, "MOUNTS", home / "mounts")
    for open_it in (
        lambda: Log.create_or_open(home / "warroom.db", new_id="log-1"),
        lambda: Replica.open(home),
    ):
        with pytest.raises(StorageError) as caught:
            open_it()
        said = str(caught.value)
        assert said.startswith(f"{home} is on NFS")
        assert "WARROOM_DATA" in said
        assert "WARROOM_REPLICA" in said
    assert not (home / "warroom.db").exists()
