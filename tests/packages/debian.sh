# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/package
# The packages on Debian 11, 12 and 13, installed, upgraded and removed without a boot.

# Prints the commands that README gives below this line.
readme() {
	awk -v below="$1" '
		$0 == below { found = 1; next }
		found && /^[^ ]/ { exit }
		found && NF { sub(/ *#.*/, ""); sub(/^ */, ""); print }
	' README.md
}

check_readme() {
	local suite
	for suite in bullseye bookworm trixie; do
		check_readme_install "$suite" || fail "readme, $suite"
	done
	check_readme_start || fail "readme, bookworm"
}

# The commands that install it, on a system that has only apt and make; its user says yes to
# apt.
check_readme_install() {
	local deb install ask by_hand kernel
	unpack_root "$1-bare" || return
	echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/90yes"
	copy_sources "$root/src"
	{ read -r deb && read -r install && read -r ask; } \
		< <(readme "On Debian 11, 12 or 13, as root:") || { fail "$1: README has three commands"; return; }
	says "readme, $1: $deb" 0 '/ntsync-dkms_.*\.deb' in_root sh -c "cd /src && $deb"
	says "readme, $1: $install" 0 'Setting up ntsync-dkms' in_root sh -c "cd /src && $install"
	kernel=$(kernels | tail -n 1)
	built_for "readme, $1" "$kernel"
	says "readme, $1: $ask, about the kernel of this machine" 1 \
		'^problem .*no module for the running kernel' in_root "$ask"
	says "readme, $1: apt purges the packages" 0 'Removing ntsync-dkms' purge
	read -r by_hand < <(readme "Elsewhere, as root:")
	says "readme, $1: $by_hand, about the kernel of this machine" 1 \
		'^problem .*no module for the running kernel' in_root sh -c "cd /src && $by_hand"
	built_for "readme, $1, by hand" "$kernel"
}

# The first two commands of README, on a system that has only apt and make.
check_readme_start() {
	local demo tests
	unpack_root bookworm-bare || return
	copy_sources "$root/src"
	{ read -r demo && read -r tests; } \
		< <(readme "On Debian 12, as root, with git and make:") || { fail "README has two commands"; return; }
	says "readme: $demo" 0 'steps as expected, 0 not' in_root sh -c "cd /src && $demo"
	say "running $tests on a bare Debian 12 (a quarter of an hour)"
	says "readme: $tests" 0 '^[1-9][0-9]* passed, 0 failed' in_root sh -c "cd /src && $tests"
}

check_debian12() {
	local kernel
	unpack_root bookworm || return
	kernel=$(kernels)
	list_root >"$out/before"
	install_packages debian12
	built_for debian12 "$kernel"
	silent "debian12: the header of ntsync-dev is found" header_is_found gcc-12
	check_skipped
	check_upgrade "$kernel"
	check_beside "$kernel"
	check_purge debian12
	check_no_headers "$kernel"
	check_by_hand "$kernel"
	check_rpm_install "$kernel"
	check_headers "$kernel"
	check_forks "$kernel"
}

# Compiles a program.  Linux 6.10 to 6.13 have a header of that name that lacks most of it.
header_is_found() {
	local flags
	flags=$(PKG_CONFIG_PATH=$root/usr/share/pkgconfig pkg-config --cflags ntsync)
	cat >"$root/tmp/program.c" <<-'END'
		#include <linux/ioctl.h>
		#include <linux/ntsync.h>
		int main(void) { return NTSYNC_IOC_EVENT_READ == 0; }
	END
	# shellcheck disable=SC2086 # they are words
	in_root "$1" -Werror -c -o /tmp/program.o $flags /tmp/program.c
	rm "$root"/tmp/program.c
	[[ -e $root/tmp/program.o ]] && rm "$root/tmp/program.o"
}

# Kernels for which no module can be built: for each, one line says why.
check_skipped() {
	local folder=$root/tmp/kernel dkms=(in_root dkms build --force -m ntsync -v "$version")
	mkdir -p "$folder/include/config"
	echo 'CONFIG_NTSYNC=y' >"$folder/include/config/auto.conf"
	says "dkms: a kernel with ntsync built in is skipped" 77 \
		'^ntsync: no module for Linux 7\.0\.0-test: it has ntsync built in' \
		"${dkms[@]}" -k 7.0.0-test --kernelsourcedir /tmp/kernel
	: >"$folder/include/config/auto.conf"
	says "dkms: a kernel that is too old is skipped" 77 \
		'^ntsync: no module for Linux 5\.4\.0-test: it is too old' \
		"${dkms[@]}" -k 5.4.0-test --kernelsourcedir /tmp/kernel
	echo 'CONFIG_CC_IS_CLANG=y' >"$folder/include/config/auto.conf"
	# shellcheck disable=SC2016 # make expands it
	printf 'modules:\n\t@echo LLVM=$(LLVM)\n' >"$folder/Makefile"
	says "dkms: a kernel built with clang needs clang" 7 \
		'^ntsync: Linux 6\.1\.0-test was built with clang: install the packages clang' \
		"${dkms[@]}" -k 6.1.0-test --kernelsourcedir /tmp/kernel
	says "dkms: the module is built with LLVM=1" 0 '^LLVM=1' \
		cat "$root/var/lib/dkms/ntsync/$version/build/make.log"
	says "dkms: a kernel without headers is named" 1 'headers .* cannot be found' \
		"${dkms[@]}" -k 6.1.0-test
	rm -rf "$folder"
}

# Makes the sources of the next version.
make_next() {
	copy_sources "$out/next"
	sed -i "s/$version/$next/" "$out"/next/{ntsync.c,CHANGELOG.md,debian/changelog,packaging/ntsync.spec}
}

check_upgrade() {
	make_next
	"$out/next/scripts/deb" >"$out/said" 2>&1 || { fail "upgrade: the packages can be built"; return; }
	mkdir -p "$root/debs/next"
	cp "$out"/next/build/deb/*.deb "$root/debs/next/"
	says "upgrade: apt installs the next version" 0 "Setting up ntsync-dkms (1:$next)" \
		apt_install '/debs/next/*.deb'
	version=$next built_for upgrade "$1"
	silent "upgrade: nothing of the old version is left" old_version
}

old_version() { find "$root"/{usr/src,var/lib/dkms} -path "*ntsync*$version*"; }

check_purge() {
	says "$1: apt purges the packages" 0 'Removing ntsync-dkms' purge
	nothing_left "$1"
}

# While the package is installed, make installs nothing.
check_beside() {
	local target
	copy_sources "$root/src"
	for target in install dkms-install dkms-uninstall; do
		says "beside the package: make $target" 2 'is there: remove the package ntsync-dkms first' \
			in_root make -s -C /src "$target" "KDIR=/lib/modules/$1/build"
	done
}

# The advice of ntsync-check if headers are missing.
check_no_headers() {
	mv "$root/lib/modules/$1/build" "$root/debs/"
	says "no headers: apt still installs the packages" 0 'headers .* not .* installed' \
		apt_install '/debs/ntsync-*.deb'
	mv "$root/debs/build" "$root/lib/modules/$1/"
	says "no headers: when they have been installed, DKMS builds" 0 'Installing to /lib/modules/' \
		in_root dkms autoinstall -k "$1"
	built_for "no headers" "$1"
	check_purge "no headers"
}

# From the sources, as README says.
check_by_hand() {
	local make=(in_root make -s -C /src)
	copy_sources "$root/src"
	says "by hand: make dkms-install" 0 'Installing to /lib/modules/' "${make[@]}" dkms-install
	built_for "by hand" "$1"
	says "by hand: the tools are installed" 1 '^problem .*no module for the running kernel' \
		in_root /usr/local/bin/ntsync-check
	sed -i "s/$version/$next/" "$root/src/ntsync.c"
	says "by hand: newer sources find what older ones have installed" 2 \
		"/usr/src/ntsync-$version is there: make dkms-uninstall" "${make[@]}" dkms-install
	says "by hand: make install after make dkms-install" 2 '/dkms/ntsync is there: make dkms-uninstall' \
		"${make[@]}" install "KDIR=/lib/modules/$1/build"
	says "by hand: make dkms-uninstall, with newer sources" 0 'Deleting module\|Done' \
		"${make[@]}" dkms-uninstall
	nothing_left "by hand"
	says "by hand: make dkms-uninstall again finds nothing" 2 'dkms-install has not installed ntsync' \
		"${make[@]}" dkms-uninstall
	says "by hand: make install for a kernel that is not running" 0 "installed for Linux $1, and this is" \
		"${make[@]}" install "KDIR=/lib/modules/$1/build"
	says "by hand: its module is found" 0 "^/lib/modules/$1/updates/ntsync\.ko" module_file "$1"
	says "by hand: make dkms-install after make install" 2 '/updates/ntsync.ko is there: make uninstall' \
		"${make[@]}" dkms-install
	silent "by hand: make uninstall" "${make[@]}" uninstall
	nothing_left "by hand, make uninstall"
}

# Headers of another kernel, a kernel that has ntsync built in, and no headers.
check_headers() {
	local running
	running=$(uname -r)
	mkdir -p "$root/lib/modules/$running"
	ln -s "../$1/build" "$root/lib/modules/$running/build"
	says "make: headers of another kernel" 2 \
		"the headers in .* are of Linux $1, and this is $running: install the package" \
		in_root make -s -C /src
	rm "$root/lib/modules/$running/build"
	echo kernel/drivers/misc/ntsync.ko >"$root/lib/modules/$running/modules.builtin"
	: >"$root/lib/modules/$running/modules.order"
	in_root depmod "$running" 2>"$out/said"
	says "built in: the installation says that no module can replace it" 0 'has ntsync built in' \
		in_root /src/packaging/reload
	rm -r "$root/lib/modules/$running"
	mv "$root/lib/modules/$1/build" "$root/debs/"
	says "by hand: DKMS without headers" 2 'no kernel headers in /lib/modules/.*: install the package' \
		in_root make -s -C /src dkms-install
	mv "$root/debs/build" "$root/lib/modules/$1/"
	nothing_left "by hand, after failures"
}

# Ours takes the place of the kernel's own module, and gives it back.
check_debian13() {
	local kernel theirs
	unpack_root trixie || return
	theirs=$(kernels | tail -n 1)
	list_root >"$out/before"
	says "debian13: before, the kernel's own module is found" 0 '/kernel/drivers/misc/ntsync' \
		module_file "$theirs"
	copy_sources "$root/src"
	says "debian13: make deb" 0 '/ntsync-dkms_.*\.deb' in_root make -s -C /src deb
	install_packages debian13 '/src/build/deb/*.deb'
	for kernel in $(kernels); do
		built_for debian13 "$kernel"
	done
	silent "debian13: the header of ntsync-dev is found" header_is_found gcc-14
	check_purge debian13
	says "debian13: after, the kernel's own module is found again" 0 \
		'/kernel/drivers/misc/ntsync' module_file "$theirs"
}
