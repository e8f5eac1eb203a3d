#!/bin/sh
# Called by its neighbours inside fresh namespaces: ROOT SHARED COMMAND… runs COMMAND in the chroot ROOT with devices,
# the folder SHARED (read only) at /shared, and an empty environment.
set -eu
root=$1
shared=$2
shift 2
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/shm"
for device in null zero full random urandom tty; do cp -a "/dev/$device" "$root/dev/$device"; done
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
if [ -d "$shared" ]; then
    mount --bind "$shared" "$root/shared"
    mount -o remount,bind,ro "$root/shared"
fi
exec chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    INTERMEDIARY_SHARED=/shared INTERMEDIARY_SHARED_REQUIRED=1 "$@"
