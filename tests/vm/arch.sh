# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # for the scripts that use it
# Debian's architectures except amd64, one per line: its name; the kernel's name for it; the
# flavour of Debian's kernel; the compiler's name for it; the width of its programs; the
# 32-bit programs that it also runs (an architecture, or an option for its own compiler);
# the emulator and its package; the machine that it emulates; the console, which is a port
# that the machine has; and the type of the other ports, if they have to be added.
# Without pauth=off the emulator would spend most of its time on signing addresses.
architectures='
i386    | i386      | 686-pae         | i686-linux-gnu        | 32 |       | x86_64      | x86  | -M pc -cpu max              | ttyS1    |
armhf   | arm       | armmp           | arm-linux-gnueabihf   | 32 |       | arm         | arm  | -M virt -cpu max            | ttyAMA0  | pci-serial
arm64   | arm64     | arm64           | aarch64-linux-gnu     | 64 | armhf | aarch64     | arm  | -M virt -cpu max,pauth=off  | ttyAMA0  | pci-serial
riscv64 | riscv     | riscv64         | riscv64-linux-gnu     | 64 |       | riscv64     | misc | -M virt                     | ttyS0    | virtconsole
ppc64el | powerpc   | powerpc64le-64k | powerpc64le-linux-gnu | 64 |       | ppc64       | ppc  | -M pseries -cpu power9      | hvc0     | pci-serial
s390x   | s390      | s390x           | s390x-linux-gnu       | 64 | -m31  | s390x       | misc | -M s390-ccw-virtio -cpu max | ttysclp0 | virtconsole
loong64 | loongarch | loong64         | loongarch64-linux-gnu | 64 |       |             |      |                             |          |
'

# architecture NAME: sets the fields of its line, or fails and sets none.
architecture() {
	arch='' karch='' flavour='' gnu='' width='' runs32='' emulator='' package='' machine='' console='' ports=''
	IFS='|' read -r arch karch flavour gnu width runs32 emulator package machine console ports \
		< <(sed -nE "/^$1 *\\|/s/ *\\| */|/gp" <<<"$architectures")
}

# The same for a kernel such as 6.1-arm64.  Kernels without a suffix are for this machine.
architecture_of() { architecture "${1##*-}" || :; }

# Does Debian 12 have an emulator for it?
can_run() { [[ -n $emulator ]]; }
runnable() { awk -F ' *[|] *' '$7 { print $1 }' <<<"$architectures" | paste -sd ' '; }

# The compiler for its 32-bit programs.
compiler_of_32() (
	case $runs32 in
	-m*)	echo "$gnu-gcc-12 $runs32" ;;
	*)	architecture "${runs32:-$arch}" && echo "$gnu-gcc-12" ;;
	esac
)

# The packages of Debian 12 with its compiler; and all that build and run its programs.
compiler_of_arch() { ! can_run || printf '%s\n' "gcc-12-$gnu" "binutils-$gnu"; }
packages_of_arch() (
	can_run || return 0
	compiler_of_arch
	printf '%s\n' "libc6-dev-$arch-cross" "qemu-system-$package"
	case $runs32 in
	'')	;;
	-m*)	echo "gcc-12-multilib-$gnu" ;;
	*)	architecture "$runs32" && printf '%s\n' "gcc-12-$gnu" "libc6-dev-$arch-cross" ;;
	esac
)
