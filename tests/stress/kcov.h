/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which places of the module have been executed, if the kernel is built with
 * kcov.  A place is a call of the tracer that the compiler put at the beginning of
 * each basic block.
 */
#ifndef NTSYNC_KCOV_H
#define NTSYNC_KCOV_H

#include <sys/mman.h>
#include "stress.h"

/* 32-bit programs use the kernel's 64-bit numbers and words too. */
#define KCOV_WORDS	8192
#define KCOV_INIT	_IOR('c', 1, uint64_t)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)

#define KCOV_SPAN	(256 * 1024)

/* Shared by all processes: where the module is, and what was executed. */
struct kcov_map {
	uint32_t base[2];
	uint32_t size;
	atomic_uchar seen[KCOV_SPAN];
};

/* One thread's tracer; without @area there is none. */
struct kcov {
	int fd;
	uint64_t *area;
};

/* Finds the module.  Leaves the size 0 if it cannot be found. */
static inline void kcov_find_module(struct kcov_map *map)
{
	FILE *file = fopen("/sys/module/ntsync/sections/.text", "re");
	unsigned long long base = 0;

	if (!file)
		return;
	if (fscanf(file, "%llx", &base) == 1 && base) {
		map->base[0] = base;
		map->base[1] = base >> 32;
		map->size = KCOV_SPAN;
	}
	fclose(file);
}

static inline void kcov_start(struct kcov *kcov)
{
	kcov->area = NULL;
	kcov->fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov->fd < 0)
		return;
	if (!ioctl(kcov->fd, KCOV_INIT, KCOV_WORDS))
		kcov->area = mmap(NULL, 8 * KCOV_WORDS, PROT_READ | PROT_WRITE,
				  MAP_SHARED, kcov->fd, 0);
	if (!kcov->area || kcov->area == MAP_FAILED ||
	    ioctl(kcov->fd, KCOV_ENABLE, 0)) {
		close(kcov->fd);
		kcov->area = NULL;
	}
}

static inline void kcov_stop(struct kcov *kcov)
{
	if (kcov->area)
		ioctl(kcov->fd, KCOV_DISABLE, 0);
	kcov->area = NULL;
}

static inline void kcov_begin(struct kcov *kcov)
{
	if (kcov->area)
		__atomic_store_n(&kcov->area[0], 0, __ATOMIC_RELAXED);
}

static inline void kcov_end(struct kcov *kcov, struct kcov_map *map)
{
	uint64_t n, place, base = (uint64_t)map->base[1] << 32 | map->base[0];

	if (!kcov->area)
		return;
	n = __atomic_load_n(&kcov->area[0], __ATOMIC_RELAXED);
	for (uint64_t i = 1; i <= n && i < KCOV_WORDS; i++) {
		place = kcov->area[i] - base;
		if (place < map->size)
			map->seen[place] = 1;
	}
}

static inline unsigned int kcov_places(const struct kcov_map *map)
{
	unsigned int places = 0;

	for (size_t i = 0; i < KCOV_SPAN; i++)
		places += map->seen[i];
	return places;
}

#endif /* NTSYNC_KCOV_H */
