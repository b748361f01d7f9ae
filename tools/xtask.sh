#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the tool, after installing what it takes to build it: cargo and a linker.
set -e
here=$(dirname "$0")
PATH=$PATH:$HOME/.cargo/bin

missing=
command -v cargo >/dev/null || missing="cargo-web"
command -v cc >/dev/null || missing="$missing gcc"
echo '#include <stdio.h>' | cc -E - >/dev/null 2>&1 || missing="$missing libc6-dev"
if [ -n "$missing" ]; then
	if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
		echo "error: install cargo and a C compiler (as root: apt-get install $missing)" >&2
		exit 1
	fi
	log=$(mktemp)
	echo "  Installing $missing" >&2
	export DEBIAN_FRONTEND=noninteractive
	tries=360
	while ! { apt-get -o APT::Update::Error-Mode=any update &&
		apt-get -o DPkg::Lock::Timeout=1800 install -y --no-remove \
			--no-install-recommends $missing ca-certificates; } \
		>"$log" 2>&1 </dev/null; do
		# On a fresh machine the automatic upgrade has the lock.
		tries=$((tries - 1))
		if [ "$tries" = 0 ] || ! grep -q 'Could not get lock' "$log"; then
			echo "error: cannot install $missing: $(grep -m1 '^E:' "$log"); log: $log" >&2
			exit 1
		fi
		[ "$tries" = 359 ] && echo "  waiting for another package manager to end" >&2
		sleep 5
	done
	rm -f "$log"
fi

[ -x "$here/target/debug/xtask" ] || echo "  Building the tool" >&2
exec cargo run --quiet --manifest-path "$here/Cargo.toml" -p xtask -- "$@"
