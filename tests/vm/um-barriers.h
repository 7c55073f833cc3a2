/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Barriers for modules of user-mode Linux on x86.  Its own are stronger than x86 needs: each
 * acquire load and each release store has a fence, so code takes longer than on a machine,
 * and never sees accesses in some of the orders that x86 allows.  These are x86's.
 */
#ifndef UM_BARRIERS_H
#define UM_BARRIERS_H

static inline void um_smp_mb(void)
{
	asm volatile("lock addl $0, -4(%%rsp)" ::: "memory", "cc");
}

#define __smp_mb()	um_smp_mb()
#define __smp_rmb()	barrier()
#define __smp_wmb()	barrier()

/* An atomic operation is a full barrier by itself. */
#define __smp_mb__before_atomic()	barrier()
#define __smp_mb__after_atomic()	barrier()

#define __smp_store_release(word, value)				\
do {									\
	barrier();							\
	WRITE_ONCE(*(word), value);					\
} while (0)

#define __smp_load_acquire(word)					\
({									\
	typeof(word) _word = (word);					\
	typeof(*_word) _value = READ_ONCE(*_word);			\
									\
	barrier();							\
	_value;								\
})

#endif /* UM_BARRIERS_H */
