/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux 7.0 and newer expect this of sparse, but sparse 0.6.4, which Debian 12 and
 * 13 have, does not know it.
 */
#define __typeof_unqual__ __typeof__
#define __builtin_strlen(string) (sizeof(string) - 1)
