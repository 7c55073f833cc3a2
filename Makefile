# SPDX-License-Identifier: GPL-2.0
# The commands of a person.  The module itself is described in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.1

version = $(shell sed -n 's/^MODULE_VERSION("\(.*\)");$$/\1/p' ntsync.c)
running = $(shell uname -r)
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)

# A kernel built with clang wants its modules built with clang.
ifneq ($(shell grep -s '^CONFIG_CC_IS_CLANG=y' $(KDIR)/include/config/auto.conf),)
LLVM ?= 1
export LLVM
endif

# Where depmod prefers a module to one that the kernel has.
INSTALL_MOD_DIR ?= updates
export INSTALL_MOD_DIR

modules: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# In updates/, which goes before kernel/.  Where the headers hold no key to sign with,
# kbuild would complain.
modules_install: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates \
		$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=) modules_install

# A build folder that was made for another kernel gives a module that none loads.
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
uninstall dkms-uninstall autoload: as_root
dkms-install: as_root tools
install uninstall dkms-install dkms-uninstall autoload:
	@KDIR='$(KDIR)' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' scripts/install $@

deb:
	@scripts/deb

# Sorted, with one date and no owner, so that the same sources give the same archive.
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

# So many breaks of the driver with N=n; all of them without.
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
	@tests/wine/check $(if $(VM),--vm) $(WINE)

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
	@echo 'make install          install it, as root: loaded now and at boot, until the next'
	@echo '                      kernel (DESTDIR=FOLDER, PREFIX=/usr/local); make uninstall'
	@echo 'make dkms-install     install its source for DKMS, which builds it for each kernel'
	@echo '                      that is installed, as root; make dkms-uninstall'
	@echo 'make autoload         where the kernel has ntsync as a module: have it loaded now and at'
	@echo '                      boot, as root; make uninstall'
	@echo 'make tools            build ntsync-check, ntsync-bench, and lsntsync, which shows who waits'
	@echo '                      for what, in build/tools (make -C tools install installs them)'
	@echo 'make deb              build Debian packages, in build/deb'
	@echo 'make dist             pack the sources, in build/dist'
	@echo 'make demo             show it at work in a VM'
	@echo 'make quick            while you edit: run the tests of the driver in a minute, smaller'
	@echo '                      and 64-bit only, on a Linux that is a program (user-mode Linux)'
	@echo 'make check            before you commit: run all tests, most of them in a VM'
	@echo 'make check TEST=NAME  run a part: source, reader, graft, fetch, build, vm, tools, beside, testers,'
	@echo '                      a program of tests/ such as wait_all, or programs, which is all of'
	@echo '                      them; several in quotes'
	@echo 'make check-matrix     run the tests of the driver on many kernels'
	@echo '                      (KERNELS="5.10 7.3-rt" picks)'
	@echo 'make check-build      build the module for the kernels of other processors, and run none'
	@echo '                      (KERNELS="6.12-s390x 7-loong64" picks)'
	@echo 'make check-model      search models of the protocol, and litmus tests of its memory order,'
	@echo '                      for all that can happen (MODEL="grant watch" picks)'
	@echo 'make check-random     compare the driver with a model, STEPS=1000000 at random, alone and'
	@echo '                      with threads at once; SEED=n repeats, CPUS=2 of the VM;'
	@echo '                      and see all that is random find what is wrong with broken drivers'
	@echo 'make check-mutants    break the driver in N small ways at random, or in all, and tell'
	@echo '                      which of them no test notices; SEED=n repeats'
	@echo 'make check-fuzz       CALLS=1000000 calls at random, right and wrong; SEED=n repeats'
	@echo 'make soak             processes that are killed all the time, and calls at random,'
	@echo '                      for MINUTES=5, a third of it each on CPUS="2 4 8"; with'
	@echo '                      KERNEL=7.3-um most of it calls as fast as can be'
	@echo 'make soak-totals      what all runs of make soak add up to'
	@echo 'make check-package    build, install, boot and remove the packages on Debian 12 and'
	@echo '                      13, with Secure Boot too (PART="build cross rpm arch nix make'
	@echo '                      clang status readme debian12 boot secureboot debian13" picks)'
	@echo 'make check-running    run the tests of the interface on this machine, on the driver that is'
	@echo '                      loaded, as root and without a VM (TEST="sem order" picks)'
	@echo 'make check-debug      run them on kernels that report memory errors, misuse of'
	@echo '                      locks, leaks and data races, and see that these do'
	@echo 'make check-coverage   say which lines and branches of ntsync.c the tests execute'
	@echo 'make check-wine       run a Windows program that uses the objects under Debian'"'"'s Wine;'
	@echo '                      VM=yes in a VM too, WINE=FOLDER under the one installed there'
	@echo 'make check-ci         what each change has to pass: check-matrix on five kernels (one of'
	@echo '                      another processor), check-build, check-debug, check-coverage,'
	@echo '                      check-model, parts of check and check-package'
	@echo 'make check-all        all checks one after the other, in sizes for a release (hours)'
	@echo 'make kernels.rst      write what check-matrix found last on each kernel to'
	@echo '                      Documentation/kernels.rst'
	@echo 'make debugging.rst    run the commands of Documentation/debugging.rst in a VM and put'
	@echo '                      what they print into it, and its picture beside it'
	@echo '                      (PART="hang top cost" picks; crash needs 860 MB)'
	@echo 'make bench            count the instructions of this driver and of the one that'
	@echo '                      Linux 7.3 has; KO=FILE.ko measures a third module too'
	@echo 'make bench-latency    the same of the longest stretches without preemption only'
	@echo 'make bench-time       nanoseconds of both on user-mode Linux, on the processors of this'
	@echo '                      machine, which should have nothing else to do'
	@echo 'make clean            remove what was built; what was downloaded stays in'
	@echo '                      build/cache'
	@echo 'make distclean        remove that as well'
	@echo
	@echo 'deb, demo, quick and check install the Debian packages they need (as root) and say which.'
	@echo 'KERNEL=6.1-rt has them use another of Debian'"'"'s kernels than $(KERNEL), KERNEL=7.3-um or'
	@echo '7.3-um-kasan user-mode Linux.'

.PHONY: modules modules_install headers tools as_root install uninstall dkms-install dkms-uninstall autoload deb dist demo quick check check-matrix check-build check-model check-mutants check-random check-debug check-coverage check-ci check-all check-package check-running check-wine soak soak-totals check-fuzz kernels.rst debugging.rst bench bench-time bench-latency clean distclean help
