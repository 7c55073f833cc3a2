/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for the arguments of calls: adjacent pages of every protection.  It is known
 * what a call can read and write there, and what was there before.
 */
#ifndef NTSYNC_ARENA_H
#define NTSYNC_ARENA_H

#include <sys/ioctl.h>
#include <sys/mman.h>
#include "stress.h"

/* As large as a page can be on any processor; on most it is many pages. */
#define ARENA_PAGE	65536U

/* Writable, read-only or neither: every pair that a call could cross. */
#define ARENA_PAGES	"wwrwnrnw"
#define ARENA_SIZE	((sizeof(ARENA_PAGES) - 1) * ARENA_PAGE)

/* How much memory around an argument is checked. */
#define ARENA_GUARD	64U

/*
 * The same memory twice: @user is what calls get, @back is writable throughout.
 * @shadow, or @words, is the expected content.  With @whole no place crosses a
 * border.
 */
struct arena {
	char *user;
	char *back;
	bool whole;
	union {
		char shadow[ARENA_SIZE];
		uint32_t words[ARENA_SIZE / 4];
	};
};

/* A place in an arena or, with @garbage, an address outside. */
struct place {
	struct arena *arena;
	bool garbage;
	uintptr_t address;
	uint32_t offset;
};

static inline void arena_protect(struct arena *arena)
{
	static const int protection[] = {
		['w'] = PROT_READ | PROT_WRITE,
		['r'] = PROT_READ,
		['n'] = PROT_NONE,
	};

	for (size_t i = 0; ARENA_PAGES[i]; i++)
		if (mprotect(arena->user + i * ARENA_PAGE, ARENA_PAGE,
			     protection[(int)ARENA_PAGES[i]]))
			_exit(3);
}

/*
 * If a result crosses a border, the kernel may write the writable part and then fail, as
 * user-mode Linux does.  Then it is not known what a call may change.
 */
static inline bool arena_writes_parts(struct arena *arena)
{
	const size_t word = 2 * ARENA_PAGE - sizeof(int) / 2;	/* 'w', then 'r' */
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		_exit(3);
	arena->back[word] = 0x5a;
	ioctl(ends[0], FIONREAD, arena->user + word);
	close(ends[0]);
	close(ends[1]);
	return arena->back[word] != 0x5a;
}

static inline void arena_create(struct arena *arena, uint64_t *random)
{
	const int rw = PROT_READ | PROT_WRITE;
	int fd = memfd_create("arena", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, ARENA_SIZE))
		_exit(3);
	arena->user = mmap(NULL, ARENA_SIZE, rw, MAP_SHARED, fd, 0);
	arena->back = mmap(NULL, ARENA_SIZE, rw, MAP_SHARED, fd, 0);
	if (arena->user == MAP_FAILED || arena->back == MAP_FAILED)
		_exit(3);
	close(fd);
	for (size_t i = 0; i < ARENA_SIZE / 4; i++)
		arena->words[i] = draw(random);
	arena_protect(arena);
	arena->whole = arena_writes_parts(arena);
	memcpy(arena->back, arena->shadow, ARENA_SIZE);
}

static inline void arena_destroy(struct arena *arena)
{
	munmap(arena->user, ARENA_SIZE);
	munmap(arena->back, ARENA_SIZE);
}

/* Addresses that no process has. */
static inline uintptr_t garbage_address(uint64_t *random)
{
	static const uint64_t garbage[] = {
		0, 1, 0xffc, UINT32_MAX - 3, UINT32_MAX, UINT64_MAX,
		UINT64_MAX - 7, 0x800000000000, 0x8000000000000000,
		0xffff888000000000, 0xffffffff81000000,
	};
	uint64_t address = one_of(random, garbage);

	/* Truncated, the 64-bit ones could be memory of a 32-bit process. */
	if (sizeof(void *) < 8 && address >= ARENA_PAGE)
		address = UINTPTR_MAX - address % 64;
	return address;
}

/* Mostly a good place; otherwise one at a border, an unaligned one, or garbage. */
static inline struct place place_pick(struct arena *arena, uint32_t size,
				      uint64_t *random)
{
	struct place place = { .arena = arena };
	uint32_t page, kind = below(random, 32);

	if (!kind) {
		place.garbage = true;
		place.address = garbage_address(random);
		return place;
	}
	if (kind > 5) {
		place.offset = 8 * below(random, (ARENA_PAGE - size) / 8);
	} else {
		page = 1 + below(random, ARENA_SIZE / ARENA_PAGE - 1);
		place.offset = page * ARENA_PAGE;
		if (arena->whole)
			place.offset -= one_in(random, 2) ? size : 0;
		else
			place.offset -= kind == 1 ? below(random, size + 1) :
						    4 * below(random, size / 4 + 1);
	}
	place.address = (uintptr_t)arena->user + place.offset;
	return place;
}

/* Can a call read, or with @write also write, so many bytes? */
static inline bool place_allows(const struct place *place, uint32_t offset,
				uint32_t size, bool write)
{
	uint32_t first = place->offset + offset;

	if (!size)
		return true;
	if (place->garbage)
		return false;
	for (uint32_t page = first / ARENA_PAGE;
	     page <= (first + size - 1) / ARENA_PAGE; page++)
		if (ARENA_PAGES[page] == 'n' ||
		    (write && ARENA_PAGES[page] == 'r'))
			return false;
	return true;
}

static inline bool can_read(const struct place *place, uint32_t offset,
			    uint32_t size)
{
	return place_allows(place, offset, size, false);
}

static inline bool can_write(const struct place *place, uint32_t offset,
			     uint32_t size)
{
	return place_allows(place, offset, size, true);
}

static inline void place_write(const struct place *place, const void *data,
			       uint32_t size)
{
	if (place->garbage)
		return;
	memcpy(place->arena->back + place->offset, data, size);
	memcpy(place->arena->shadow + place->offset, data, size);
}

/* A word that a call was allowed to change: expect its new value from now on. */
static inline uint32_t place_result(const struct place *place, uint32_t offset)
{
	uint32_t word;

	memcpy(&word, place->arena->back + place->offset + offset, 4);
	memcpy(place->arena->shadow + place->offset + offset, &word, 4);
	return word;
}

/* Does the memory in and around the place have the expected content? */
static inline bool place_intact(const struct place *place, uint32_t size)
{
	uint32_t first, last;

	if (place->garbage)
		return true;
	first = place->offset < ARENA_GUARD ? 0 : place->offset - ARENA_GUARD;
	last = place->offset + size + ARENA_GUARD;
	if (last > ARENA_SIZE)
		last = ARENA_SIZE;
	return !memcmp(place->arena->back + first, place->arena->shadow + first,
		       last - first);
}

static inline bool arena_intact(const struct arena *arena)
{
	return !memcmp(arena->back, arena->shadow, ARENA_SIZE);
}

#endif /* NTSYNC_ARENA_H */
