# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/package
# Debian, booted in a VM with the packages.

# Reads the lines of a guest: results, and JSON to check.
results() {
	local line
	while IFS= read -r line; do
		line=${line%$'\r'}
		case $line in
		'ok '*)		pass "$1: ${line#ok }" ;;
		'not ok '*)	fail "$1: ${line#not ok }" ;;
		'json '*)
			line=${line#json }
			silent "$1: JSON, ${line%%|*}" judge_json "${line%%|*}" <<<"${line#*|}"
			;;
		*$'\e'*)	;; # the firmware's and GRUB's screen
		*)		echo "    $line" ;;
		esac
	done
}

# Makes a disk of the root.
make_disk() {
	rm -f "$disk"
	mke2fs -q -t ext4 -d "$root" "$disk" "$disk_size" >"$out/said" 2>&1 || fail "the disk can be made"
}

# virtual_machine OPTION...
disk_size=2G memory=1G
virtual_machine() {
	timeout --foreground -k 5 3600 qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m "$memory" \
		-nodefaults -no-reboot -display none "$@" \
		-drive "file=$disk,format=raw,if=virtio,cache=unsafe" \
		-serial stdio -serial "file:$out/kernel.log"
}

# Boots the newest kernel with its initramfs.
boot() {
	local newest
	newest=$(kernels | tail -n 1)
	virtual_machine -cpu max -append "root=/dev/vda rw console=ttyS1 panic=-1" \
		-kernel "$root/boot/vmlinuz-$newest" -initrd "$root/boot/initrd.img-$newest"
}

# guest TITLE STEPS [COMMAND]: makes a disk, and boots it with the command.
guest() {
	tr ' ' '\n' <<<"$2" >"$root/test/steps"
	make_disk
	run_guest "$1" "${3:-boot}"
}

# run_guest TITLE [COMMAND]: boots the disk as it is.
run_guest() {
	say "booting Debian in QEMU ($1)"
	results "$1" < <("${2:-boot}" 2>&1 </dev/null | tee "$out/guest.log")
	grep -q '^done' "$out/guest.log" || fail "$1: the guest did not finish its steps"
}

# put_test [GUEST]: puts the guest's script and programs into the root.
put_test() {
	mkdir -p "$root/test"
	cp "$top/tests/packages/${1:-boot-guest}" "$root/test/guest"
	gcc -O2 -Wall -pthread -static -DKNOWS -o "$root/test/wineserver" "$top/tests/tools/wine.c" &&
		gcc -O2 -Wall -pthread -static -I"$top/include/uapi" -o "$root/test/session" \
		"$top/examples/session.c" || return
	echo 'player:x:1000:1000::/tmp:/bin/sh' >>"$root/etc/passwd"
	cat >"$root/etc/systemd/system/test.service" <<-'END'
		[Unit]
		After=multi-user.target
		[Service]
		Type=oneshot
		ExecStart=/test/guest
		StandardOutput=file:/dev/ttyS0
		StandardError=inherit
	END
	mkdir -p "$root/etc/systemd/system/default.target.wants"
	ln -sf ../test.service "$root/etc/systemd/system/default.target.wants/test.service"
}

check_boot() {
	local first newest
	unpack_root bookworm || return
	first=$(kernels)
	install_packages boot
	put_test || return
	guest "boot" "loaded works"
	says "update: apt installs a second kernel" 0 'Setting up linux-image' \
		apt_install '/debs/linux-*.deb'
	newest=$(kernels | tail -n 1)
	if [[ $newest == "$first" ]]; then
		fail "update: there is a second kernel"
		return
	fi
	built_for update "$newest"
	guest "boot of the second kernel" "loaded works purge"
}

# Installs on a system that has booted, which builds slowly.
check_live() {
	unpack_root bookworm || return
	put_test || return
	copy_sources "$root/src"
	guest "live" "install loaded works purge source"
}

# Uses the sources on a system that has booted.
check_local() {
	unpack_root bookworm && "$fetch" source || return
	install_packages local
	put_test && cp -r "$cache"/source/tools/testing/selftests/kselftest{,_harness}.h "$root/test/" ||
		return
	copy_sources "$root/src"
	guest "local" "loaded running purge autoload local again loaded local-uninstall"
	run_guest "local, the next boot"
}

# Boots firmware that has Microsoft's keys, as that of most computers does.  It starts the
# shim signed by Microsoft, which starts GRUB signed by Debian.  With 5-level paging, a kernel
# hangs after this firmware in QEMU 7.2.
boot_securely() {
	virtual_machine -cpu max,-la57 -machine q35,smm=on \
		-global driver=cfi.pflash01,property=secure,value=on \
		-drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.ms.fd \
		-drive "if=pflash,format=raw,file=$out/firmware" \
		-drive "if=virtio,format=raw,file=$out/efi"
}

make_efi() {
	local files=$out/files kernel
	kernel=$(kernels)
	rm -rf "$files" "$out/efi"
	mkdir -p "$files"/EFI/{BOOT,debian}
	cp "$root/usr/lib/shim/shimx64.efi.signed" "$files/EFI/BOOT/BOOTX64.EFI"
	cp "$root/usr/lib/shim/mmx64.efi.signed" "$files/EFI/BOOT/mmx64.efi"
	cp "$root/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "$files/EFI/BOOT/grubx64.efi"
	cp "$root/boot/vmlinuz-$kernel" "$files/vmlinuz"
	cp "$root/boot/initrd.img-$kernel" "$files/initrd"
	cat >"$files/EFI/debian/grub.cfg" <<-'END'
		linux /vmlinuz root=/dev/vdb rw console=ttyS1 panic=-1
		initrd /initrd
		boot
	END
	truncate -s 128M "$out/efi"
	mformat -i "$out/efi" -F :: && mcopy -s -i "$out/efi" "$files"/* ::
}

# press TEXT KEYS: types the keys when the screen shows the text.
press() {
	local seen='' char
	until [[ $seen == *"$1"* ]]; do
		IFS= read -r -N 1 -t 600 -u "${vm[0]}" char ||
			{ echo "the screen does not say '$1'"; return 1; }
		printf '%s' "$char" >>"$out/screen.log"
		seen+=$char
	done
	printf '%b' "$2" >&"${vm[1]}"
}

# Enrolls the key on the blue screen, as a person would.
enroll() {
	local down='\e[B' status=0 job
	: >"$out/screen.log"
	coproc vm { boot_securely 2>&1; }
	job=$!
	{
		press 'Press any key' '\r' &&
		press 'Enroll MOK' "$down\r" &&
		press 'Continue' "$down\r" &&
		press 'Yes' "$down\r" &&
		press 'Password' 'secret\r' &&
		press 'Reboot' '\r'
	} || { status=1; pkill -P "$job"; }
	wait "$job"
	return $status
}

check_secureboot() {
	"$fetch" install ovmf mtools && unpack_root bookworm || return
	install_packages "Secure Boot"
	put_test || return
	silent "Secure Boot: the EFI partition can be made" make_efi
	cp /usr/share/OVMF/OVMF_VARS_4M.ms.fd "$out/firmware"
	guest "Secure Boot, key unknown" "secure refused import" boot_securely
	say "booting it to the screen on which keys are enrolled"
	silent "Secure Boot: the key is enrolled, as by a person" enroll
	guest "Secure Boot, key enrolled" "secure loaded works" boot_securely
}

# Makes an image of a Debian for containers, as small as distrobox and toolbox take it.
# distrobox installs what it wants if one command is missing; of those, what it does not use
# here does nothing.
make_box() {
	# shellcheck disable=SC2016 # the inner shell expands it
	in_root sh -ec '
		cd /tmp
		mkdir -p box/usr/local/bin box/usr/lib64 box/usr/sbin box/var/tmp
		for folder in dev proc sys run tmp home mnt media root; do mkdir -p box/$folder; done
		for link in bin lib lib64 sbin; do ln -s usr/$link box/$link; done
		ln -s run/host/share box/share
		for name in bc curl lsof man pigz pinentry ping rsync ssh sudo time tree unzip wget \
			xauth zip; do
			ln -s /bin/true box/usr/local/bin/$name
		done
		dpkg -L base-files base-passwd bash bsdutils bzip2 coreutils dash diffutils \
			findutils gpg grep hostname less libc-bin libcap2-bin libpam-modules mawk \
			mount passwd procps sed util-linux |
			grep -E "^/usr/(bin|sbin)/|/security/.*\.so$" >files
		xargs ldd <files 2>/dev/null | sed -n "s/.*=> \(\/[^ ]*\).*/\1/p" >>files
		find /lib/x86_64-linux-gnu/libnss_* /lib64/ld* /etc -xdev ! -type d \
			! -path "/etc/alternatives/*" ! -path "/etc/apparmor*" >>files
		sort -u files | sed "s|^/lib|/usr/lib|" | xargs cp --parents -L -p -t box 2>/dev/null || :
		ln -sf mawk box/usr/bin/awk
		tar -C box -c . >/test/box.tar
		rm -r box files
	'
}

check_sandboxes() {
	local disk_size=9G memory=2G
	unpack_root sandboxes || return
	install_packages sandboxes '/debs/ntsync-dkms_*.deb /debs/ntsync-autoload_*.deb'
	# Static programs, which run in any sandbox.
	put_test sandboxes-guest &&
		make -s -C tools OUT="$root/test" LDFLAGS=-static "$root/test/ntsync-check" &&
		gcc -O2 -Wall -static -I include/uapi -o "$root/test/share" tests/tools/share.c || return
	sed -i '/^player:/d' "$root/etc/passwd"
	in_root useradd --create-home --uid 1000 --shell /bin/sh player
	silent "sandboxes: an image for distrobox and toolbox can be made" make_box
	guest sandboxes \
		"bubblewrap nspawn lxc flatpak flatpak_sid podman docker apparmor distrobox toolbox"
}

# The packages' own tests: debian/tests, and that of all DKMS packages.  The VM is what they
# are to run on, so autopkgtest need not make one.
check_autopkgtest() {
	local disk_size=4G memory=2G
	unpack_root testbed || return
	put_test boot-guest || { fail "autopkgtest: the programs do not compile"; return; }
	copy_sources "$root/src"
	guest autopkgtest autopkgtest
}
