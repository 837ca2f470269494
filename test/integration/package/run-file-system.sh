#!/bin/sh
# Runs a command in the file system of an image as a container would, without an engine: process 1, user and group 65532
# without any privilege, everything read-only, of the machine's files a configuration, under its own name in /tmp.
#
#   run-file-system.sh ROOT FILE COMMAND…       in a mount and process namespace of its own (unshare -mpf)
set -eu
root=$1 file=$2
shift 2

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 devices "$root/dev"
for device in null zero urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t tmpfs -o mode=755 configuration "$root/tmp"
mkdir -p "$root${file%/*}"
install -m 400 -o 65532 -g 65532 "$file" "$root$file"
mount -o remount,ro "$root/tmp"
mount -o remount,ro "$root/dev"
mount -o remount,ro,bind "$root"
exec setpriv --no-new-privs chroot --userspec=65532:65532 --groups= "$root" "$@"
