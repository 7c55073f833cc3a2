/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Polls that take no lock: a poll for any of two events while other threads set
 * and reset them, one at a time or both in one step.  Names are those of ntsync.c.
 * What becomes visible in another order than it was stored is left to the litmus
 * tests.
 *
 * An event is up from when its seq tells of its being set until its reset state is
 * stored; if it is held, all of the step counts from when it is first released.
 *
 * A poll that times out had an instant, after its deadline, at which neither
 * event was up.  One that takes the second event does so while the first is not
 * up.
 *
 * code: ntsync_advance_seq ntsync_changed ntsync_decide_many
 * code: ntsync_event_reset ntsync_event_set_step ntsync_expired ntsync_hold
 * code: ntsync_lock ntsync_look ntsync_release ntsync_signal
 * code: ntsync_try_acquire ntsync_try_any ntsync_try_held ntsync_try_now
 *
 * sizes: WRITERS=1 STEPS=4
 * break: RISE_FIRST		a step advances seq before it stores the state
 * break: STATE_FIRST		a look reads the state before seq
 * break: NO_COMPARE		a poll times out whatever has become of the seqs
 * break: NO_ODD		... or whether they were odd
 * break: CLOCK_LAST		... or looks at the clock after it has compared them
 * break: TAKE_ANYWAY		an event is taken whatever the seqs before it say
 * break: TAKE_HELD		... or while it is held
 * break: LOOK_IN_TURN		a poll in doubt locks one event after the other
 *
 * sizes: WRITERS=2 STEPS=1
 */

#define NONE	255
#define HELD	1
#define RISE	2
#define OLD	15	/* seqs count modulo 16 */

bool locked[2], state[2], up[2];
byte seq[2];
bool multi_locked, polls, passed, saw_instant;

#define is_held(o)	(seq[o] & HELD)

/* Part of every step that changes what the poll may say. */
inline observe()
{
	if
	:: polls && passed && !up[0] && !up[1] -> saw_instant = true
	:: else
	fi
}

inline lock(o) { atomic { !locked[o] -> locked[o] = true } }
inline unlock(o) { locked[o] = false }
inline lock_multi() { atomic { !multi_locked -> multi_locked = true } }
inline unlock_multi() { multi_locked = false }

inline ntsync_lock(o)
{
	lock(o);
	if
#ifndef TAKE_HELD
	:: is_held(o) ->
		unlock(o);
		lock_multi();
		lock(o);
		unlock_multi()
#endif
	:: else
	fi
}

/* It is locked for a moment. */
inline hold(o) { atomic { !locked[o] -> seq[o] = seq[o] | HELD } }

/* From the first release on, all that was done is seen. */
inline release(o)
{
	atomic {
		up[0] = (is_held(0) -> state[0] : up[0]);
		up[1] = (is_held(1) -> state[1] : up[1]);
		seq[o] = seq[o] & (OLD - HELD);
		observe()
	}
}

inline rise(o) { atomic { seq[o] = (seq[o] + RISE) & OLD; up[o] = up[o] || !is_held(o) } }

inline set(o)
{
#ifdef RISE_FIRST
	rise(o);
	state[o] = true
#else
	state[o] = true;
	rise(o)
#endif
}

inline reset(o)
{
	atomic {
		state[o] = false;
		up[o] = up[o] && is_held(o);
		observe()
	}
}

/* A step that sets one event, and takes the other if it is set. */
inline grant()
{
	lock_multi();
	hold(o);
	hold(other);
	if
	:: !state[o] -> set(o)
	:: else
	fi;
	if
	:: state[other] -> reset(other)
	:: else
	fi;
	if
	:: release(o); release(other)
	:: release(other); release(o)
	fi;
	unlock_multi()
}

proctype Writer()
{
	byte o, other, n;

	do
	:: n < STEPS ->
		n++;
		if
		:: o = 0; other = 1
		:: o = 1; other = 0
		fi;
		if
		:: ntsync_lock(o);
			if
			:: !state[o] -> set(o)
			:: else -> reset(o)
			fi;
			unlock(o)
		:: grant()
		fi;
		atomic { o = 0; other = 0 }
	:: else -> break
	od
}

proctype Clock()
{
	atomic { passed = true; observe() }
}

/* Sets seen, and before: the seq that was read before the state. */
inline look(o)
{
#ifdef STATE_FIRST
	seen = state[o];
	before = seq[o]
#else
	before = seq[o];
	seen = state[o]
#endif
}

/* The sum of the seqs of the first count events, read one by one. */
inline sum_seqs(count)
{
	sum = 0;
	if
	:: count > 0 -> atomic { sum = seq[0]; was_up = up[0] }
	:: else
	fi;
	if
	:: count > 1 -> sum = (sum + seq[1]) & OLD
	:: else
	fi
}

inline acquire(o)
{
	atomic {
		assert(state[o]);
		state[o] = false;
		up[o] = false;
		taken = o;
		observe()
	}
}

#ifdef NO_ODD
#define in_doubt	(sum != total)
#elif defined(NO_COMPARE)
#define in_doubt	(odd)
#else
#define in_doubt	(sum != total || odd)
#endif

/*
 * Take an event that looked set, if those before it have stayed unset.  It is
 * taken when their seqs are read: no thread can tell, since it is locked.
 */
inline take(o)
{
	ntsync_lock(o);
	if
	:: !state[o] -> total = (total + seq[o]) & OLD
	:: else ->
		sum_seqs(o);
#ifdef TAKE_ANYWAY
		sum = total;
		odd = false;
#endif
		if
		:: in_doubt -> doubt = true
		:: else ->
			assert(!is_held(o));
			assert(o == 0 || !was_up);
			acquire(o)
		fi
	fi;
	unlock(o)
}

/* With both held, in the order of the array. */
inline look_held()
{
	lock_multi();
#ifndef LOOK_IN_TURN
	hold(0);
	hold(1);
#endif
	if
	:: state[0] -> acquire(0)
	:: else ->
		if
		:: state[1] -> assert(!up[0]); acquire(1)
		:: else -> assert(!up[0] && !up[1])
		fi
	fi;
#ifndef LOOK_IN_TURN
	release(0);
	release(1);
#endif
	unlock_multi()
}

proctype Poller()
{
	byte n, before, total, sum, taken = NONE;
	bool seen, odd, doubt, in_time, was_up;

	atomic { polls = true; observe() }
	do
	:: n < 2 && taken == NONE && !doubt ->
		look(n);
		if
		:: seen -> take(n)
		:: else ->
			total = (total + before) & OLD;
			odd = odd || (before & HELD)
		fi;
		atomic { n++; before = 0; seen = false; sum = 0; was_up = false }
	:: else -> break
	od;
	if
	:: taken == NONE ->
#ifdef CLOCK_LAST
		sum_seqs(2);
		in_time = passed;
#else
		in_time = passed;
		sum_seqs(2);
#endif
		if
		/* Not a poll after all: it queues. */
		:: !in_time
		:: in_time && !doubt && !in_doubt -> assert(saw_instant)
		:: in_time && (doubt || in_doubt) ->
			look_held();
			assert(taken != NONE || saw_instant)
		fi
	:: else
	fi;
	polls = false
}

init
{
	atomic {
		/* Of two events one or both may be set. */
		if
		:: state[0] = true; up[0] = true
		:: true
		fi;
		if
		:: state[1] = true; up[1] = true
		:: true
		fi;
		run Writer();
#if WRITERS > 1
		run Writer();
#endif
		run Clock();
		run Poller()
	}
}
