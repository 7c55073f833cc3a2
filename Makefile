# SPDX-License-Identifier: GPL-2.0
# The commands of this tree.  Kbuild describes the module itself.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.1

version = $(shell sed -n 's/^MODULE_VERSION("\(.*\)");$$/\1/p' ntsync.c)
running = $(shell uname -r)
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)

# The modules of a kernel built with clang must be built with clang too.
ifneq ($(shell grep -s '^CONFIG_CC_IS_CLANG=y' $(KDIR)/include/config/auto.conf),)
LLVM ?= 1
export LLVM
endif

# The folder in which depmod prefers a module to the kernel's own.
INSTALL_MOD_DIR ?= updates
export INSTALL_MOD_DIR

modules: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# In updates/, which takes precedence over kernel/.  If the headers contain no signing key,
# kbuild would complain.
modules_install: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates \
		$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=) modules_install

# The running kernel does not load a module built with other headers.
headers:
	$(if $(wildcard $(KDIR)/Makefile),,$(error no kernel headers in \
		$(KDIR): install the package linux-headers-$(running), \
		or give another kernel's with make KDIR=FOLDER))
	$(if $(filter file,$(origin KDIR)),$(if $(filter-out $(running),$(release)),$(error \
		the headers in $(KDIR) are of Linux $(release), and this is $(running): \
		install the package linux-headers-$(running), or boot that kernel)))

as_root:
	$(if $(DESTDIR)$(filter 0,$(shell id -u)),,$(error not root: run sudo make $(MAKECMDGOALS), \
		or give a folder to install into with DESTDIR=FOLDER))

install: as_root modules tools
uninstall dkms-uninstall local-install local-uninstall autoload: as_root
dkms-install: as_root tools
install uninstall dkms-install dkms-uninstall local-install local-uninstall autoload:
	@KDIR='$(KDIR)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install $@

deb:
	@scripts/deb

# Sorted, with one date and no owner, so the same sources give the same archive.
dist:
	@mkdir -p build/dist
	tar -c --exclude-vcs --exclude-vcs-ignores --exclude=./build --sort=name --owner=0 \
		--group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@0 \
		--transform='s|^\.|ntsync-$(version)|' . | gzip -n9 >build/dist/ntsync-$(version).tar.gz

demo:
	@tests/demo $(KERNEL)

quick: KERNEL = 7.3-um
quick:
	@tests/quick $(KERNEL)

check:
	@tests/check $(KERNEL) $(TEST)

tools:
	@$(MAKE) --no-print-directory -C tools

check-matrix:
	@tests/matrix $(KERNELS)

check-build:
	@tests/matrix --build $(KERNELS)

check-package:
	@tests/package $(PART)

# Decisions at random; SEED=n repeats those of a run.
export SEED

check-model:
	@tests/spin/check $(MODEL)

# N=n picks that many breaks of the driver; without it, all are tried.  tests/mutants/check
# also reads JOBS, PASSES and LEAST.
check-mutants:
	@tests/mutants/check $(N)

check-random:
	@STEPS=$(or $(STEPS),1000000) tests/check $(KERNEL) model/random model/linear testers

soak:
	@tests/soak $(KERNEL) minutes $(or $(MINUTES),5)

soak-totals:
	@tests/soak $(KERNEL) totals

check-fuzz:
	@tests/soak $(KERNEL) calls $(or $(CALLS),1000000)

check-debug:
	@tests/matrix --debug $(KERNELS)

check-coverage:
	@tests/coverage

check-running:
	@tests/running $(TEST)

check-wine:
	@tests/wine/check $(if $(VM),--vm) $(if $(TESTS),--tests "$(TESTS)") \
		$(if $(BUILD),--build "$(BUILD)") $(WINE)

check-ci:
	@tests/all ci

check-all:
	@tests/all all

debugging.rst:
	@tests/tools/document $(KERNEL) $(PART)

kernels.rst:
	@tests/matrix --document

bench:
	@bench/run $(if $(KO),--ko $(KO))

bench-time:
	@bench/time

bench-latency:
	@bench/run --only latency $(if $(KO),--ko $(KO))

# Needs no kernel headers, so not kbuild's own clean.
clean:
	@find . -path ./build -prune -o -path ./.git -prune -o \
		\( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o \
		   -name '.*.cmd' -o -name '.*.d' -o -name modules.order -o \
		   -name Module.symvers \) -exec rm -f {} +
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +; fi

distclean: clean
	@rm -rf build

help:
	@echo 'make                  build ntsync.ko for the running kernel'
	@echo 'make KDIR=FOLDER      build it for the kernel with these headers'
	@echo 'make install          install it, as root, for this kernel only: load it now and at boot'
	@echo '                      (DESTDIR=FOLDER, PREFIX=/usr/local); make uninstall'
	@echo 'make dkms-install     install its source for DKMS, as root, which builds it for each'
	@echo '                      installed kernel; make dkms-uninstall'
	@echo 'make local-install    if the root is read-only: into /var/lib/ntsync, with a systemd unit'
	@echo '                      that loads it at boot, as root; make local-uninstall'
	@echo 'make autoload         if the kernel has ntsync as a module: load it now and at boot, as'
	@echo '                      root; make uninstall'
	@echo 'make tools            build ntsync-check, ntsync-bench, and lsntsync, which shows who waits'
	@echo '                      for what, in build/tools (make -C tools install installs them)'
	@echo 'make deb              build Debian packages in build/deb'
	@echo 'make dist             pack the sources in build/dist'
	@echo 'make demo             run a demonstration in a VM'
	@echo 'make quick            while you edit: run the tests of the driver in a minute, with less'
	@echo '                      work and 64-bit only, on user-mode Linux (a kernel as a program)'
	@echo 'make check            before you commit: run all tests, most of them in a VM'
	@echo 'make check TEST=NAME  run a part: source, reader, graft, fetch, build, vm, tools, upstream,'
	@echo '                      theirs, slow, jitter, fget, hrtimeout, beside, detectors, testers,'
	@echo '                      breaks, stress, a program in tests/ such as wait_all, or programs for'
	@echo '                      all of these; several in quotes'
	@echo 'make check-matrix     run the tests of the driver on many kernels'
	@echo '                      (KERNELS="5.10 7.3-rt" picks)'
	@echo 'make check-build      only build the module, for the kernels of other processors'
	@echo '                      (KERNELS="6.12-s390x 7-loong64" picks)'
	@echo 'make check-model      search all states of models of the protocol, and all outcomes of'
	@echo '                      litmus tests of its memory order (MODEL="grant watch" picks)'
	@echo 'make check-random     compare the driver with a model, STEPS=1000000 random steps, one'
	@echo '                      at a time and in several processes at once; check that the random'
	@echo '                      tests find the bugs of broken drivers; SEED=n repeats a run, and'
	@echo '                      the VM has CPUS=2'
	@echo 'make check-mutants    break the driver in N small ways at random, or in all, and list'
	@echo '                      the breaks that no test notices; SEED=n repeats a run, JOBS=1'
	@echo '                      tries one at a time, PASSES=fast leaves out the slow tests'
	@echo 'make check-fuzz       make CALLS=1000000 random calls, right and wrong; SEED=n repeats them'
	@echo 'make soak             kill processes and make random calls for MINUTES=5, a third of it'
	@echo '                      each on CPUS="2 4 8"; with KERNEL=7.3-um mostly calls at full speed'
	@echo 'make soak-totals      print the sums of all runs of make soak'
	@echo 'make check-package    build, install and remove the packages on Debian 11, 12 and'
	@echo '                      13, boot 12 and 13, with Secure Boot too (PART="build cross rpm'
	@echo '                      arch nix make clang status readme debian12 boot live local'
	@echo '                      secureboot debian13 sandboxes autopkgtest" picks)'
	@echo 'make check-running    run the tests of the interface on this machine, with the driver that'
	@echo '                      is loaded, as root and without a VM (TEST="sem order" picks)'
	@echo 'make check-debug      run them on kernels that report memory errors, misuse of locks,'
	@echo '                      leaks and data races, and check that these kernels do'
	@echo 'make check-coverage   show which lines and branches of ntsync.c the tests execute'
	@echo 'make check-wine       run a Windows program that uses the objects, under Debian'"'"'s Wine;'
	@echo '                      VM=yes runs it in a VM too, WINE=FOLDER under the Wine installed'
	@echo '                      or built there; TESTS="kernel32:sync ntdll:om" BUILD=FOLDER runs'
	@echo '                      Wine'"'"'s own tests, which were built in FOLDER'
	@echo 'make check-ci         run what each change has to pass: check-matrix on four kernels (one'
	@echo '                      for another processor), check-build, check-debug, check-coverage,'
	@echo '                      check-model, check-mutants N=12, parts of check and check-package'
	@echo 'make check-all        run all checks in sizes for a release (hours)'
	@echo 'make kernels.rst      write the last results of check-matrix to'
	@echo '                      Documentation/kernels.rst'
	@echo 'make debugging.rst    run the commands of Documentation/debugging.rst in a VM, and'
	@echo '                      replace their output and the picture'
	@echo '                      (PART="hang top cost" picks; crash needs 860 MB)'
	@echo 'make bench            count the instructions of this driver and of the one in Linux 7.3;'
	@echo '                      KO=FILE.ko measures a third module too'
	@echo 'make bench-latency    only count their longest stretches without preemption'
	@echo 'make bench-time       measure nanoseconds of both on user-mode Linux, on the processors'
	@echo '                      of this machine, which should be idle'
	@echo 'make clean            remove what was built, but not downloads in build/cache'
	@echo 'make distclean        remove these as well'
	@echo
	@echo 'deb, demo, quick and check install the Debian packages they need (as root) and say which.'
	@echo 'KERNEL=6.1-rt makes demo and check use another kernel of Debian, not $(KERNEL).'
	@echo 'KERNEL=7.3-um or 7.3-um-kasan is user-mode Linux, for check and quick (which uses 7.3-um).'

.PHONY: modules modules_install headers tools as_root install uninstall dkms-install dkms-uninstall local-install local-uninstall autoload deb dist demo quick check check-matrix check-build check-model check-mutants check-random check-debug check-coverage check-ci check-all check-package check-running check-wine soak soak-totals check-fuzz kernels.rst debugging.rst bench bench-time bench-latency clean distclean help
