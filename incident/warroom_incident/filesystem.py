"""Which file systems SQLite's write-ahead log cannot live on: those of other machines.

The log is shared through memory that only one machine sees, and locks over the network do not hold.
"""

from __future__ import annotations

import os
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

NETWORK = {
    "nfs": "NFS",
    "nfs4": "NFS",
    "cifs": "SMB",
    "smb3": "SMB",
    "smbfs": "SMB",
    "afs": "AFS",
    "ceph": "Ceph",
    "coda": "Coda",
    "gfs2": "GFS2",
    "glusterfs": "GlusterFS",
    "lustre": "Lustre",
    "ncpfs": "NCP",
    "ocfs2": "OCFS2",
    "fuse.sshfs": "SSHFS",
    "fuse.ceph": "Ceph",
    "fuse.glusterfs": "GlusterFS",
    "fuse.gcsfuse": "a bucket",
    "fuse.goofys": "a bucket",
    "fuse.s3fs": "a bucket",
    "fuse.mount-s3": "a bucket",
    "fuse.rclone": "rclone",
    "fuse.juicefs": "JuiceFS",
    "fuse.davfs": "WebDAV",
    "davfs": "WebDAV",
    "fuse.smbnetfs": "SMB",
    "fuse.curlftpfs": "FTP",
}
"""Types of file systems as the kernel names them, and what people call them."""


def network_name(kind: str) -> str | None:
    """What people call a type of file system that is on the network, None for a local one."""
    return NETWORK.get(kind)


def kind_of(mounts: str, device: int) -> str:
    """The type of the file system with a device number, from the kernel's list of mounts.

    Empty where the list has no such device.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    kind = ""
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        places = fields.split()
        if len(places) > 2 and places[2] == number and rest:
            kind = rest.split()[0]
    return kind


def network_under(directory: Path) -> str | None:
    """What people call the network file system that a directory is on, None if it is on none.

    On systems that do not tell, it counts as local.
    """
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="replace")
        return network_name(kind_of(mounts, directory.stat().st_dev))
    except OSError:
        return None
