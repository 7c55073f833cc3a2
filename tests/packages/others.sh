# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/package
# RPMs, installed in Debian 12, which has DKMS but not the packages that RPMs depend on; and
# ours in place of packages that others have made.

rpms() { find "$out/rpm" -name 'ntsync-*.rpm' ! -name '*.src.rpm' ! -name '*-debug*'; }
rpm_in_root() { with_mounts rpm --root "$root" --dbpath /debs/rpm "$@"; }

# install_rpms TITLE PATTERN OPTION
install_rpms() {
	local rpms
	mapfile -t rpms < <(rpms)
	says "$1" 0 "$2" rpm_in_root --nodeps "$3" "${rpms[@]}"
}

# In distributions that use RPM, other packages own these folders.
shared_folders=(usr/share/{licenses,man/man4})

remove_rpms() {
	says "$1: our RPMs are removed" 0 '' rpm_in_root --nodeps -e ntsync-{dkms,autoload,tools,devel}
	rmdir "${shared_folders[@]/#/$root/}"
	nothing_left "$1"
}

check_rpm_install() {
	mkdir -p "${shared_folders[@]/#/$root/}"
	copy_sources "$out/dist"
	build_rpms "$out/dist" >"$out/said" 2>&1
	install_rpms "rpm: the packages are installed" 'Creating symlink' -i
	says "rpm: DKMS builds for the kernel of the next boot" 0 '' in_root dkms autoinstall -k "$1"
	built_for rpm "$1"
	make_next
	build_rpms "$out/next" >"$out/said" 2>&1
	install_rpms "rpm: the next version replaces them" 'Creating symlink' -U
	in_root dkms autoinstall -k "$1" >"$out/said" 2>&1
	version=$next built_for "rpm, upgrade" "$1"
	silent "rpm, upgrade: nothing of the old version is left" old_version
	remove_rpms rpm
}

# Imitations of other people's packages: with their names and versions, but our driver.
# Their package of the driver leaves its version in DKMS's tree when it is removed.
fork_version=6.14
make_fork() {
	copy_sources "$out/fork"
	sed -i "s/$version/$fork_version/" "$out/fork/ntsync.c"
	DESTDIR=$out/forks/ntsync-dkms "$out/fork/scripts/install" source
	install -Dm 644 packaging/ntsync.conf "$out/forks/ntsync-common/usr/lib/modules-load.d/ntsync.conf"
	echo 'KERNEL=="ntsync", MODE="0644"' |
		install -Dm 644 /dev/stdin "$out/forks/ntsync/usr/lib/udev/rules.d/99-ntsync.rules"
	install -Dm 644 include/uapi/linux/ntsync.h "$out/forks/ntsync-header/usr/include/linux/ntsync.h"
}

# fork_deb PACKAGE VERSION [KERNEL]
fork_deb() {
	local folder=$out/forks/$1
	mkdir -p "$folder/DEBIAN"
	printf '%s\n' "Package: $1" "Version: $2" "Architecture: all" \
		"Maintainer: another <another@ntsync.example>" "Description: made up" >"$folder/DEBIAN/control"
	[[ $1 != ntsync-dkms ]] || printf '#!/bin/sh\ndkms install -m ntsync -v %s -k %s\n' \
		"$fork_version" "$3" | install -Dm 755 /dev/stdin "$folder/DEBIAN/postinst"
	dpkg-deb -b --root-owner-group "$folder" "$root/debs/forks/$1.deb"
	rm -r "$folder/DEBIAN"
}

# shellcheck disable=SC2016 # it is for dpkg-query
theirs_left() { in_root dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\n' 'ntsync*' | grep -v ' 1:' | grep ' ii'; :; }
in_dkms() { in_root dkms status -m ntsync | sort; }
others_in_dkms() { in_dkms | grep -v "^ntsync/$version,"; :; }

check_forks() {
	rm -rf "$out/forks"
	mkdir -p "$root/debs/forks"
	make_fork
	fork_deb ntsync-dkms "$fork_version-rc1+git20250301" "$1" >"$out/said"
	fork_deb ntsync-common "$fork_version" >"$out/said"
	fork_deb ntsync "$fork_version" >"$out/said"
	fork_deb ntsync-header 1.0.0 >"$out/said"
	list_root >"$out/before"
	says "forks: their packages are installed" 0 'Setting up ntsync-dkms (6.14' \
		in_root sh -c 'dpkg -i /debs/forks/*.deb'
	says "forks: DKMS has theirs" 0 "^ntsync/$fork_version, $1.* installed" in_dkms
	says "forks: apt replaces theirs with ours" 0 "Setting up ntsync-dkms (1:$version)" \
		apt_install '/debs/ntsync-*.deb'
	silent "forks: none of their packages is left" theirs_left
	built_for forks "$1"
	says "forks: DKMS has ours" 0 "^ntsync/$version, $1.* installed" in_dkms
	silent "forks: DKMS has no other" others_in_dkms
	check_purge forks
	check_fork_rpms "$1"
}

# The same as RPMs, with the names and versions that are used there.
fork_spec() {
	cat <<-END
		Name: ntsync
		Version: $fork_version
		Release: 1
		Summary: made up
		License: GPL-2.0-only
		BuildArch: noarch
		%description
		made up
		%package dkms
		Summary: made up
		%description dkms
		made up
		%package devel
		Summary: made up
		%description devel
		made up
		%install
		cp -r $out/forks/ntsync-dkms/usr $out/forks/ntsync-common/usr %{buildroot}/
		cp -r $out/forks/ntsync-header/usr %{buildroot}/
		%post dkms
		dkms add -m ntsync -v $fork_version
		%files
		/usr/lib/modules-load.d/ntsync.conf
		%files dkms
		/usr/src/ntsync-$fork_version
		%files devel
		/usr/include/linux/ntsync.h
	END
}

check_fork_rpms() {
	fork_spec >"$out/forks/ntsync.spec"
	rm -rf "$out/rpm"
	rpmbuild -bb --define "_topdir $out/rpm" "$out/forks/ntsync.spec" >"$out/said" 2>&1 ||
		{ fail "forks: imitations of their RPMs can be built"; return; }
	mkdir -p "${shared_folders[@]/#/$root/}"
	install_rpms "forks: their RPMs are installed" 'Creating symlink' -i
	build_rpms "$out/dist" >"$out/said" 2>&1
	install_rpms "forks: our RPMs replace them" "taking version $fork_version out of DKMS's tree" -U
	says "forks: there are four RPMs, all ours" 0 '^4$' count_rpms
	in_root dkms autoinstall -k "$1" >"$out/said" 2>&1
	built_for "forks, RPM" "$1"
	remove_rpms "forks, RPM"
}

# Prints their number, if all are ours.
count_rpms() {
	rpm_in_root -qa --qf '%{EPOCH} %{NAME}\n' 'ntsync*' >"$out/rpms"
	! grep -v '^1 ' "$out/rpms" && wc -l <"$out/rpms"
}
