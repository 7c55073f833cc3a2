# SPDX-License-Identifier: GPL-2.0
# The commands of a person.  The module itself is described in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.1

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

modules_install: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

headers:
	$(if $(wildcard $(KDIR)/Makefile),,$(error no kernel headers in \
		$(KDIR): install the package linux-headers-$(shell uname -r), \
		or give another kernel's with make KDIR=FOLDER))

demo:
	@tests/demo $(KERNEL)

check:
	@tests/check $(KERNEL) $(TEST)

tools:
	@$(MAKE) --no-print-directory -C tools

check-matrix:
	@tests/matrix $(KERNELS)

# Decisions at random; SEED=n repeats those of a run.
export SEED

soak:
	@tests/soak $(KERNEL) minutes $(or $(MINUTES),5)

check-fuzz:
	@tests/soak $(KERNEL) calls $(or $(CALLS),1000000)

kernels.rst:
	@tests/matrix --document

bench:
	@bench/run $(if $(KO),--ko $(KO))

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
	@echo 'make modules_install  install it where modprobe finds it (as root)'
	@echo 'make tools            build lsntsync, which shows who waits for what, in build/tools'
	@echo '                      (make -C tools install installs it)'
	@echo 'make demo             show it at work in a VM'
	@echo 'make check            run all tests, most of them in a VM'
	@echo 'make check TEST=NAME  run a part: source, graft, build, vm, tools, beside, or a'
	@echo '                      program of tests/ such as wait_all; several in quotes'
	@echo 'make check-matrix     run the tests of the driver on many kernels'
	@echo '                      (KERNELS="5.10 7.3-rt" picks)'
	@echo 'make check-fuzz       CALLS=1000000 calls at random, right and wrong; SEED=n repeats'
	@echo 'make soak             processes that are killed all the time, and calls at random,'
	@echo '                      for MINUTES=5'
	@echo 'make kernels.rst      write the table of the last check-matrix of all kernels to'
	@echo '                      Documentation/kernels.rst'
	@echo 'make bench            count the instructions of this driver and of the one that'
	@echo '                      Linux 7.3 has; KO=FILE.ko measures a third module too'
	@echo 'make clean            remove what was built; what was downloaded stays in'
	@echo '                      build/cache'
	@echo 'make distclean        remove that as well'
	@echo
	@echo 'demo and check install the Debian packages they need (as root) and say which.'
	@echo 'KERNEL=6.1-rt has them use another of Debian'"'"'s kernels than $(KERNEL).'

.PHONY: modules modules_install headers tools demo check check-matrix soak check-fuzz kernels.rst bench clean distclean help
