"""Renames without replacing: what already has the name in the drop is never overwritten."""

from __future__ import annotations

import ctypes
import errno
import os

_RENAME_NOREPLACE = 1
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL)
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def rename_new(source: str, target: str, *, source_folder: int, target_folder: int) -> None:
    """Rename atomically; both folders are open file descriptors. Raises FileExistsError when the name is taken.

    Where the file system cannot refuse by itself (NFS), the name is looked at first: two writers of the same name at
    the same moment are then not told apart.
    """
    if _renameat2 is not None:
        failed = _renameat2(source_folder, os.fsencode(source), target_folder, os.fsencode(target), _RENAME_NOREPLACE)
        if not failed:
            return
        number = ctypes.get_errno()
        if number not in _UNSUPPORTED:
            raise OSError(number, os.strerror(number))
    if exists(target, target_folder):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder)


def exists(name: str, folder: int) -> bool:
    """Whether anything, even a dangling link, has this name in an open folder."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
