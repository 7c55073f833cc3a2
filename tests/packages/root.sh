# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/package
# A Debian in a folder, $root, in which packages are installed without booting it.

# Runs a command in the root.
in_root() {
	with_mounts chroot "$root" env -i LC_ALL=C HOME=/root DEBIAN_FRONTEND=noninteractive \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

with_mounts() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount sh -ec '
		mount --bind "$1" "$1"
		mount -t proc proc "$1/proc"
		mount --rbind /dev "$1/dev"
		shift
		exec "$@"
	' sh "$root" "$@" </dev/null
}

unpack_root() {
	"$fetch" root "$1" || return
	root=$out/$1
	rm -rf "$root"
	mkdir -p "$root"
	tar -C "$root" -xf "$cache/root-$1.tar" --exclude='./dev/*'
	mkdir -p "$root/debs"
	cp "$top"/build/deb/*.deb "$root/debs/"
}

# Lists the files of the root, except records of dpkg, apt and DKMS that change for other
# reasons, what the tests put there, and empty folders below /usr/local, which
# "make uninstall" does not remove.
list_root() {
	(cd "$root" && find . -path ./proc -prune -o -path ./dev -prune -o \
		-path './usr/local/*' -type d -o -print) |
		grep -vE -e '^\./var/(log|cache|lib/dpkg|lib/apt|lib/dkms/mok)' \
			-e '^\./usr/lib/modules/[^/]*/modules\.' -e '^\./(debs|src|tmp/dkms)' | sort
}

# Passes if nothing has been added since list_root wrote $out/before.
nothing_left() { silent "$1: nothing is left" diff "$out/before" <(list_root); }

apt_install() { in_root sh -c "apt-get install -qq -y $1"; }

# install_packages TITLE [FILES]
install_packages() {
	says "$1: apt installs the packages" 0 'Setting up ntsync-dkms' \
		apt_install "${2:-/debs/ntsync-*.deb}"
}

purge() { in_root apt-get purge -qq -y ntsync-{dkms,autoload,tools,dev}; }
module_file() { in_root modinfo -k "$1" -n ntsync; }
kernels() { find "$root/lib/modules/" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V; }

built_for() {
	says "$1: DKMS has built the module for Linux $2" 0 \
		"^/lib/modules/$2/updates/dkms/ntsync\.ko" module_file "$2"
	says "$1: it has the right version" 0 "^$version$" in_root modinfo -k "$2" -F version ntsync
	# Debian 11's DKMS does not sign.
	[[ $root == */bullseye* ]] ||
		says "$1: it is signed with this machine's key" 0 '^DKMS module signing key$' \
			in_root modinfo -k "$2" -F signer ntsync
}
