# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/package
# What ntsync-check says, in VMs.

# Prints a program that runs another one on a Linux that calls itself 2.6.
old() {
	cat <<-'END'
		#include <sys/personality.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			return argc < 2 || personality(UNAME26) < 0 || execvp(argv[1], argv + 1);
		}
	END
}

# Checks the members of ntsync-check's JSON, and their values in the state $1.
judge_json() {
	perl -MJSON::PP -0777 -e '
		my $json = decode_json(<STDIN>);
		my $has = join " ", sort keys %$json;
		my $members = "device hidden_processes kernel lacks_fixes module most_files ok opens problem processes " .
			"remedy signatures_enforced tool_version waits without";
		die "the members are $has\n" if $has ne $members;
		$_ = $ARGV[0];
		my $right = /none/ ? !$json->{ok} && $json->{module}{loaded} eq "none" && !$json->{opens} :
			/unfixed/ ? !$json->{ok} && $json->{lacks_fixes} :
			/unfinished/ ? !$json->{ok} && $json->{opens} && !$json->{waits} :
			/kernel/ ? $json->{ok} && !$json->{lacks_fixes} && $json->{module}{loaded} eq "kernel" && $json->{waits} :
			/closed/ ? !$json->{ok} && $json->{device}{mode} eq "0600" && !$json->{opens} :
			/used/ ? $json->{ok} && $json->{processes}[0]{command} eq "wineserver" &&
				$json->{processes}[0]{wine} && $json->{waits} :
			/without/ ? $json->{ok} && @{$json->{without}} == 2 &&
				$json->{without}[1]{reason} eq "turned off" &&
				$json->{without}[1]{processes}[0]{pid} == $json->{without}[1]{server} &&
				$json->{without}[0]{processes}[1]{command} eq "game.exe" : 0;
		die "wrong values\n" if !$right;
	' "$1"
}

# status_on KERNEL TITLE GUEST [OPTION...]
status_on() {
	say "booting Linux $1 in QEMU"
	results "ntsync-check, $2" < <("$top/tests/vm/run" --kernel "$cache/kernel-$1/vmlinuz" \
		--file "$out/status/ntsync-check:/bin/ntsync-check" \
		--file "$out/status/programs" --file "$out/status/programs/new:/bin/wineserver" \
		--file "$out/status/old:/bin/old" --file "$out/status/$1/ntsync.ko" \
		--file "tests/packages/$3" --file packaging/reload --boot-time 120 "${@:4}" -- \
		"/$3" "$version" 2>&1 || echo "not ok the guest exits with status 0")
}

# A Wine that knows the device, and one that does not.
build_programs() {
	local compile=(gcc -O2 -Wall -Wextra -Werror -static -pthread)
	mkdir -p "$out/status/programs"
	"${compile[@]}" -DKNOWS -o "$out/status/programs/new" tests/tools/wine.c &&
		"${compile[@]}" -o "$out/status/programs/old" tests/tools/wine.c
}

# build_other NAME CHANGE: a driver that is not ours, with a change by sed.
build_other() {
	local kernel=6.1
	copy_sources "$out/status/$1"
	sed -i "$2; /^MODULE_VERSION/d" "$out/status/$1/ntsync.c"
	kbuild M="$out/status/$1" modules
}

# One that accepts waits with owner 0, and one that has no events, as Linux 6.10 to 6.13.
build_others() {
	build_other unfixed 's/ || !args.owner ||/ ||/' &&
		build_other unfinished 's/case NTSYNC_IOC_CREATE_EVENT:/case 0:/'
}

check_status() {
	local kernel
	"$fetch" busybox && "$fetch" kernel 6.1 && "$fetch" kernel 7.3 || return
	for kernel in 6.1 7.3; do
		copy_sources "$out/status/$kernel"
		kbuild M="$out/status/$kernel" modules
	done >"$out/said" 2>&1 || { fail "status: the modules do not build"; return; }
	build_others >"$out/said" 2>&1 || { fail "status: the broken modules do not build"; return; }
	make -s -C tools OUT="$out/status" LDFLAGS=-static "$out/status/ntsync-check" &&
		build_programs && old | gcc -x c -O2 -static -o "$out/status/old" - || return
	status_on 6.1 "programs" programs-guest
	status_on 6.1 "Linux 6.1" status-guest \
		--file "$out/status/unfixed/ntsync.ko:/unfixed-ntsync.ko" \
		--file "$out/status/unfinished/ntsync.ko:/unfinished-ntsync.ko"
	status_on 7.3 "Linux 7.3, which has an ntsync" status-guest \
		--file "$cache/kernel-7.3/inkernel-ntsync.ko"
	status_on 6.1 "signatures enforced" status-guest --append module.sig_enforce=1
}
