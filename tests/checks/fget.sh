# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # the variables are those of tests/check
# The driver as it is built for kernels whose descriptor tables it does not know: it calls
# fget(), refers to all files, and must give all of them back.

check_fget() {
	local folder=$out/fget
	! built_in || { skip fget "this kernel has the driver built in"; return; }
	mkdir "$folder"
	cp -r Kbuild include ntsync.c "$folder/"
	says "fget: the driver compiles" 0 'gets files by fget\(\)' \
		kbuild M="$folder" NTSYNC_FGET=call modules
	[[ ! -e $folder/ntsync.ko ]] || run_on "$folder/ntsync.ko" fget references lifetime
}
