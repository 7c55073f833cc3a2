# SPDX-License-Identifier: GPL-2.0
# Not tried.  For app-emulation/ntsync/ in an overlay; needs the archive from make dist.
EAPI=8

inherit linux-mod-r1

DESCRIPTION="Synchronization objects of Windows NT"
HOMEPAGE="https://ntsync.example"
SRC_URI="${P}.tar.gz"
RESTRICT="fetch"

LICENSE="GPL-2"
SLOT="0"
KEYWORDS="~amd64 ~arm64"
IUSE="+tools"

DEPEND="tools? ( dev-libs/jansson sys-apps/util-linux )"
RDEPEND="${DEPEND}"

CONFIG_CHECK="MODULES"
MODULES_KERNEL_MIN=5.10

src_compile() {
	local modlist=( ntsync=updates )
	local modargs=( KDIR="${KV_OUT_DIR}" )
	linux-mod-r1_src_compile
	use tools && emake -C tools PREFIX="${EPREFIX}/usr"
}

src_install() {
	linux-mod-r1_src_install
	doman Documentation/ntsync.4
	insinto /usr/lib/modules-load.d
	doins packaging/ntsync.conf
	use tools && emake -C tools install DESTDIR="${D}" PREFIX="${EPREFIX}/usr"
}
