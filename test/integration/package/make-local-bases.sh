#!/bin/sh
# Bases for docker/Dockerfile where no registry of images can be reached, from Debian's packages: localhost/runtime-base
# holds what distroless' cc image is made of, localhost/build-base Node, npm and busybox on top of it.
#
#   make-local-bases.sh STORE NODE     STORE: a folder for buildah; NODE: the program of Node 24
set -eu
store=$1 node=$2
packages='base-files libc6 libstdc++6 libgcc-s1 gcc-12-base tzdata netbase'

image() { buildah --root "$store/root" --runroot "$store/run" "$@"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root download -qq $packages busybox-static

mkdir runtime
for package in $packages; do dpkg-deb -x "${package}"_*.deb runtime; done
mkdir -p runtime/etc/ssl/certs runtime/home/nonroot
cp /etc/ssl/certs/ca-certificates.crt runtime/etc/ssl/certs/
echo 'root:x:0:0:root:/root:/sbin/nologin' >runtime/etc/passwd
echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >>runtime/etc/passwd
printf 'root:x:0:\nnonroot:x:65532:\n' >runtime/etc/group

cp -a runtime build
dpkg-deb -x busybox-static_*.deb build
mkdir -p build/usr/local/bin build/usr/local/lib/node_modules
for command in sh env cp mkdir ln dirname chmod ls cat rm; do
  ln -sf /bin/busybox "build/bin/$command"
  ln -sf /bin/busybox "build/usr/bin/$command"
done
cp "$node" build/usr/local/bin/node
npm=$(readlink -f "$(command -v npm)")
cp -a "${npm%/bin/npm-cli.js}" build/usr/local/lib/node_modules/npm
ln -s ../lib/node_modules/npm/bin/npm-cli.js build/usr/local/bin/npm
# Node's image has its licence here; the npm package of Node has none.
echo 'https://github.com/nodejs/node/blob/main/LICENSE' >build/usr/local/LICENSE

for base in runtime build; do
  tar -C "$base" -cf "$base.tar" .
  container=$(image from scratch)
  image add -q "$container" "$work/$base.tar" /
  image config --env PATH=/usr/local/bin:/usr/bin:/bin --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$container"
  [ "$base" = runtime ] ||
    image config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$container"
  image commit -q --format docker --rm "$container" "localhost/$base-base"
done
