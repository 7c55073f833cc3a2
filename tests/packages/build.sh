# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/package
# The packages and "make install", built on this machine.

pages_for_all() {
	local program missing=0
	for program in "$1"/usr/bin/*; do
		[[ -e $1/usr/share/man/man1/${program##*/}.1.gz ]] ||
			{ echo "no manual page for ${program##*/}"; missing=1; }
	done
	return $missing
}

check_build() {
	silent "deb: lintian" lintian --fail-on error,warning,info,pedantic -EI --pedantic \
		--allow-root "$top"/build/deb/*.changes
	rm -rf "$out/tools"
	dpkg-deb -x "$top"/build/deb/ntsync-tools_*.deb "$out/tools"
	silent "deb: every program has a manual page" pages_for_all "$out/tools"
}

# ntsync-tools for another architecture, with Debian 12's cross compiler.  If one list of
# packages cannot be fetched, the others may do.
cross_build() {
	in_root sh -ec "
		dpkg --add-architecture $1
		apt-get -qq update || :
		apt-get -qq -y --no-install-recommends install crossbuild-essential-$1
		apt-get -qq -y --no-install-recommends --arch-only -a $1 build-dep /src/ntsync
		cd /src/ntsync
		dpkg-buildpackage -us -uc --build=any --build-profiles=cross,nocheck -a $1"
}

check_cross() {
	local arch
	local -A machine=([i386]='Intel 80386' [arm64]=AArch64)
	"$fetch" install binutils && unpack_root bookworm-bare || return
	for arch in i386 arm64; do
		copy_sources "$root/src/ntsync"
		says "cross: ntsync-tools is built for $arch" 0 "building package 'ntsync-tools'" \
			cross_build "$arch"
		rm -rf "$out/cross"
		dpkg-deb -x "$root/src/ntsync-tools_${version}_$arch.deb" "$out/cross"
		says "cross: its programs are for $arch" 0 "Machine: *${machine[$arch]}$" \
			readelf -h "$out/cross/usr/bin/lsntsync"
	done
}

# With a changed time of a file in between.
same_archive_twice() {
	local archive=build/dist/ntsync-$version.tar.gz first
	make -s dist && first=$(sha256sum "$archive") && rm "$archive" && touch README.md &&
		make -s dist && [[ $(sha256sum "$archive") == "$first" ]]
}

# Builds RPMs from the sources in a folder.  Debian's RPM lacks the macros of systemd.
build_rpms() {
	rm -rf "$out/rpm"
	make -s -C "$1" dist &&
		rpmbuild -ta --nodeps --define "_topdir $out/rpm" \
			--define '_modulesloaddir /usr/lib/modules-load.d' "$1"/build/dist/ntsync-*.tar.gz
}

check_rpm() {
	local rpms
	copy_sources "$out/dist"
	cd "$out/dist" || return
	silent "dist: the same archive twice" same_archive_twice
	says "rpm: rpmbuild builds the packages" 0 '^Wrote: .*ntsync-dkms' build_rpms "$out/dist"
	mapfile -t rpms < <(find "$out/rpm" -name '*.rpm')
	says "rpm: rpmlint finds nothing" 0 ' 0 errors, 0 warnings' \
		rpmlint -c packaging/rpmlint.toml packaging/ntsync.spec "${rpms[@]}"
	cd "$top" || return
}

# makepkg refuses to run as root.
makepkg_builds() {
	(cd "$out/arch" && setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$out/arch" \
		makepkg --nodeps)
}

pacman_in() {
	pacman --root "$out/arch/root" --dbpath "$out/arch/root/var/lib/pacman" \
		--cachedir "$out/arch/cache" --noconfirm "$@"
}

files_in() { (cd "$1" && find . -type f ! -path './var/*' | sort); }

# The files that both packages together must install.
wanted_by_arch() {
	(cd "$out/dist" && find Kbuild Makefile ntsync.c include -type f) |
		sed "s|^|./usr/src/ntsync-$version/|"
	echo "./usr/src/ntsync-$version/dkms.conf"
	printf './usr/%s\n' bin/{lsntsync,ntsync-{check,bench}} \
		share/{bash-completion/completions/{lsntsync,ntsync-{check,bench}},licenses/ntsync-{dkms,tools}/COPYING} \
		share/{man/{man1/{lsntsync,ntsync-{check,bench}}.1.gz,man4/ntsync.4.gz},ntsync/{{mutexes,waits,wakes}.bt,ntsync.py}}
}

check_arch() {
	"$fetch" install pacman-package-manager makepkg libarchive-tools fakeroot util-linux || return
	copy_sources "$out/dist"
	rm -rf "$out/arch"
	mkdir -p "$out/arch/root/var/lib/pacman" /var/lib/pacman
	make -s -C "$out/dist" dist
	cp "$out"/dist/build/dist/*.tar.gz packaging/arch/PKGBUILD "$out/arch/"
	chown -R nobody "$out/arch"
	says "arch: makepkg builds the packages" 0 'Finished making: ntsync 1:' makepkg_builds
	says "arch: pacman installs them" 0 'installing ntsync-dkms' pacman_in -Udd "$out"/arch/*.pkg.tar.*
	silent "arch: they consist of the right files" \
		diff <(wanted_by_arch | sort) <(files_in "$out/arch/root")
	says "arch: their version is above 6.14 of another package" 0 '^1$' \
		vercmp "$(pacman_in -Q ntsync-dkms | cut -d' ' -f2)" 6.14-1
	says "arch: ntsync-check runs" 0 "^ntsync-check $version" "$out/arch/root/usr/bin/ntsync-check" --version
	says "arch: pacman removes them" 0 'removing ntsync-dkms' pacman_in -Rdd ntsync-dkms ntsync-tools
	silent "arch: nothing is left" files_in "$out/arch/root"
}

# Uses a separate store, and nixpkgs.nix in place of nixpkgs.
nix_in() {
	env HOME="$out/nix" NIX_STORE_DIR="$out/nix/store" NIX_STATE_DIR="$out/nix/var" \
		NIX_LOG_DIR="$out/nix/log" NIX_CONF_DIR="$out/nix" "$@"
}
nix_builds() {
	nix_in nix-build --no-out-link --option sandbox false --option build-users-group '' \
		"$out/dist/packaging/nix" -A "$1" --arg pkgs "$nixpkgs"
}

check_nix() {
	local folder=$out/nix/headers/lib/modules/6.1.0-test
	local nixpkgs="import $top/tests/packages/nixpkgs.nix { headers = \"$out/nix/headers\"; }"
	"$fetch" install nix-bin kmod && "$fetch" kernel 6.1 || return
	copy_sources "$out/dist"
	rm -rf "$out/nix"
	mkdir -p "$folder"
	ln -s "$(realpath "$headers")" "$folder/build"
	says "nix: the tools are built" 0 "^$out/nix/store/.*-ntsync-tools-$version\$" nix_builds ntsync-tools
	says "nix: ntsync-check runs" 0 "^ntsync-check $version" "$(tail -n 1 "$out/said")/bin/ntsync-check" --version
	says "nix: the module is built" 0 "^$out/nix/store/.*-ntsync-$version-6.1.0-test\$" nix_builds ntsync
	says "nix: it is for the kernel of the headers" 0 "^$(release) " modinfo -F vermagic \
		"$(tail -n 1 "$out/said")/lib/modules/$(release)/updates/ntsync.ko"
	says "nix: NixOS loads it and has the tools" 0 '^\[ "ntsync" "ntsync-'"$version-6.1.0-test"'" "ntsync-tools-' \
		nix_in nix-instantiate --eval --strict -E "let pkgs = $nixpkgs; system = import
			$out/dist/packaging/nix/nixos.nix
			{ inherit pkgs; config.boot.kernelPackages.kernel = pkgs.linux; };
			in system.boot.kernelModules ++ map (package: package.name)
			(system.boot.extraModulePackages ++ system.environment.systemPackages)"
}

# The headers of a kernel that clang builds, without the kernel.
prepare_clang() {
	local config=$top/tests/vm/config
	"$fetch" linux && "$fetch" install dkms binutils clang lld llvm flex bison bc libelf-dev || return
	mkdir -p "$headers"
	grep -hv CONFIG_NTSYNC "$config"/{base,x86,6.1-clang} >"$headers/wanted"
	make -s -C "$cache/linux" O="$headers" LLVM=1 KCONFIG_ALLCONFIG="$headers/wanted" \
		allnoconfig modules_prepare >"$out/said" 2>&1
}

# This machine's DKMS builds for such a kernel, all inside $out.
check_clang() {
	local folder=$out/clang headers=$out/clang/headers release module
	rm -rf "$folder"
	prepare_clang || { fail "clang: there are no headers"; return; }
	release=$(<"$headers/include/config/kernel.release")
	module=$folder/dkms/ntsync/$version/$release/x86_64/module/ntsync.ko
	DESTDIR=$folder scripts/install source
	mkdir -p "$folder/dkms"
	says "clang: DKMS builds the module" 0 '' dkms build -m ntsync -v "$version" \
		-k "$release" --kernelsourcedir "$headers" \
		--sourcetree "$folder/usr/src" --dkmstree "$folder/dkms"
	says "clang: it was built with clang" 0 'clang version' strings "$module"
	says "clang: it is for that kernel" 0 "^$release " modinfo -F vermagic "$module"
}

headers=$cache/kernel-6.1/headers
release() { sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$headers/include/generated/utsrelease.h"; }

make_in() { make -s -C "$out/make" KDIR="$headers" DESTDIR="$out/put" "$@"; }

wanted_files() {
	printf './%s\n' etc/modules-load.d/ntsync.conf "lib/modules/$(release)/updates/ntsync.ko" \
		usr/local/{bin/{ntsync-{check,bench},lsntsync},include/ntsync/linux/ntsync.h} \
		usr/local/share/{man/{man1/{ntsync-{check,bench},lsntsync}.1,man4/ntsync.4},pkgconfig/ntsync.pc} \
		usr/local/share/bash-completion/completions/{lsntsync,ntsync-{check,bench}} \
		usr/local/share/ntsync/{mutexes.bt,ntsync.py,waits.bt,wakes.bt}
}

# Each case in which make cannot build or install: one line says what to do.
check_failures() {
	local tools=$out/tools tool
	mkdir -p "$tools"
	says "make: headers are missing" 2 'no kernel headers in .*: install the package linux-headers-' \
		make -s -C "$out/make" KDIR="$out/nowhere"
	says "make: not root" 2 'not root: run sudo make install' \
		setpriv --reuid=65534 --regid=65534 --clear-groups make -s -C "$out/make" install
	for tool in /usr/bin/*; do
		[[ ${tool##*/} == *gcc* ]] || ln -sf "$tool" "$tools/"
	done
	says "make: the compiler is missing" 2 \
		'the compiler gcc-12 is missing, which .*: install the package gcc-12' \
		env PATH="$tools" make -s -C "$out/make" KDIR="$headers"
	says "make: DKMS is missing" 2 'there is no dkms: install the package dkms' \
		env PATH="$tools" make -s -C "$out/make" dkms-install CC=/usr/bin/gcc-12
	rm -rf "$tools"
}

check_make() {
	"$fetch" kernel 6.1 || return
	copy_sources "$out/make"
	rm -rf "$out/put"
	says "make: make install puts everything under DESTDIR" 0 '' make_in install
	silent "make: it installs the right files" \
		diff <(wanted_files | sort) <(files_in "$out/put")
	# Kernels whose modules are compressed have one of these.
	touch "$out/put/lib/modules/$(release)/updates/ntsync.ko."{gz,xz,zst}
	silent "make: make uninstall" make_in uninstall
	silent "make: nothing is left" files_in "$out/put"
	check_failures
}
