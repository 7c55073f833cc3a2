/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included before the kernel's own selftest: its harness gives a test 30 seconds, which are
 * not enough on an emulated processor.
 */
#ifndef UPSTREAM_LIMIT_H
#define UPSTREAM_LIMIT_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 200

#endif
