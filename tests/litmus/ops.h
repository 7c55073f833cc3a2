/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What orders memory in ntsync.c, for the tests of this folder.  Each name is
 * that of a function there, or says what is done there; "code" is the line that
 * does it.  make check-model sees that ntsync.c has these lines and no others of
 * the kind.
 *
 * Of an object A a test has the state a, the seq a_seq (0, with 1 added while it
 * is held and 2 for each rise) and the lock a_lock.
 */

/* code: smp_store_release(word, value); */
#ifdef STORE_ONCE
#define ntsync_store(word, value)	WRITE_ONCE(*word, value)
#else
#define ntsync_store(word, value)	smp_store_release(word, value)
#endif

/* code: return smp_load_acquire(word); */
#ifdef LOAD_ONCE
#define ntsync_load(word)		READ_ONCE(*word)
#else
#define ntsync_load(word)		smp_load_acquire(word)
#endif

/* code: smp_store_release(&obj->seq, obj->seq + NTSYNC_RISE); */
#ifdef RISE_ONCE
#define ntsync_rise(seq, value)		WRITE_ONCE(*seq, value)
#else
#define ntsync_rise(seq, value)		smp_store_release(seq, value)
#endif

/* A step that signals an object: the value of seq is the new one. */
#ifdef RISE_FIRST
#define ntsync_signal_step(o, value) \
	ntsync_rise(o##_seq, value); ntsync_store(o, 1)
#else
#define ntsync_signal_step(o, value) \
	ntsync_store(o, 1); ntsync_rise(o##_seq, value)
#endif

/* code: return smp_load_acquire(&obj->seq) & NTSYNC_HELD; */
#ifdef HELD_ONCE
#define ntsync_is_held(seq)		(READ_ONCE(*seq) & 1)
#else
#define ntsync_is_held(seq)		(smp_load_acquire(seq) & 1)
#endif

/* code: WRITE_ONCE(obj->seq, obj->seq | NTSYNC_HELD); */
#ifdef HOLD_UNLOCKED
#define ntsync_hold(o)			WRITE_ONCE(*o##_seq, 1)
#else
#define ntsync_hold(o) \
	spin_lock(o##_lock); WRITE_ONCE(*o##_seq, 1); spin_unlock(o##_lock)
#endif

/* code: smp_store_release(&obj->seq, obj->seq & ~NTSYNC_HELD); */
#ifdef RELEASE_ONCE
#define ntsync_release(o, value)	WRITE_ONCE(*o##_seq, value)
#else
#define ntsync_release(o, value)	smp_store_release(o##_seq, value)
#endif

/* A look without the lock: seq, then the state. */
/* code: u32 seq = smp_load_acquire(&obj->seq); */
#if defined(STATE_FIRST)
#define ntsync_look(o, seq, state) \
	state = ntsync_load(o); seq = smp_load_acquire(o##_seq)
#elif defined(LOOK_ONCE)
#define ntsync_look(o, seq, state) \
	seq = READ_ONCE(*o##_seq); state = ntsync_load(o)
#else
#define ntsync_look(o, seq, state) \
	seq = smp_load_acquire(o##_seq); state = ntsync_load(o)
#endif

/*
 * Whether a look that found nothing was right: when all has been looked at, seq is
 * what it was, and was even.  It is !ntsync_in_doubt() of one object.
 */
/* code: sum += READ_ONCE(objs[i]->seq); */
#if defined(NO_COMPARE)
#define ntsync_sure(o, seq)		((seq & 1) == 0)
#elif defined(NO_ODD)
#define ntsync_sure(o, seq)		(READ_ONCE(*o##_seq) == seq)
#else
#define ntsync_sure(o, seq)	((READ_ONCE(*o##_seq) == seq) & ((seq & 1) == 0))
#endif

/* Between the clock and the seqs. */
/* code: smp_rmb(); */
#ifdef NO_RMB
#define ntsync_missed_barrier()		barrier()
#else
#define ntsync_missed_barrier()		smp_rmb()
#endif

/* At the beginning of each wait. */
/* code: smp_mb(); */
#ifdef NO_MB
#define ntsync_wait_barrier()		barrier()
#else
#define ntsync_wait_barrier()		smp_mb()
#endif

/* code: atomic_cmpxchg(&wait->result, NTSYNC_PENDING, */
#define ntsync_claim(result)		atomic_cmpxchg(result, 0, 1)

/* code: smp_store_release(&wait->done, true); */
#ifdef DONE_ONCE
#define ntsync_set_done(done)		WRITE_ONCE(*done, 1)
#else
#define ntsync_set_done(done)		smp_store_release(done, 1)
#endif

/* code: if (smp_load_acquire(&wait->done)) */
#ifdef SLEEP_ONCE
#define ntsync_is_done(done)		READ_ONCE(*done)
#else
#define ntsync_is_done(done)		smp_load_acquire(done)
#endif

/* That the thread sleeps: 1 if it does. */
/* code: set_current_state(state); */
#ifdef NO_STATE_MB
#define set_current_state(asleep)	WRITE_ONCE(*asleep, 1)
#else
#define set_current_state(asleep)	smp_store_mb(*asleep, 1)
#endif

/* Which of several objects a wait-for-all watches: any that is unsignaled will do. */
/* code: seq = READ_ONCE(obj->seq); */
