/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Comes before the kernel's own selftest: an emulated processor may take longer for a test
 * than the 30 seconds that its harness gives it.
 */
#ifndef UPSTREAM_LIMIT_H
#define UPSTREAM_LIMIT_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 200

#endif
