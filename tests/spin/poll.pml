/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Polls that take no lock: a poll for any of two events while other threads set
 * and reset them.  Names are those of ntsync.c.
 *
 * What a thread stores goes through a buffer and becomes visible later, in the
 * order of the stores where each is a release.  An event is up from when its
 * rises are visible until its reset state is.
 *
 * A poll that times out had an instant, after its deadline, at which neither
 * event was up.  One that takes the second event does so while the first is not
 * up.
 *
 * sizes: WRITERS=1 STEPS=4
 * sizes: WRITERS=2 STEPS=2
 *
 * break: RISES_FIRST		a step stores the rises before the state
 * break: STORE_PLAIN		... or lets them become visible in any order
 * break: STATE_FIRST		a look reads the state before the rises
 * break: NO_COMPARE		a poll times out whatever the rises say
 * break: CLOCK_LAST		... or looks at the clock after it has compared them
 * break: TAKE_ANYWAY		an event is taken whatever they say of those before it
 */

#define NONE	255
#define OLD	3	/* rises are counted modulo 4 */

/* What a buffered store changes. */
mtype = { STATE, RISES, LOCK };

bool locked[2], state[2], up[2];
byte rises[2];
bool polls, passed, saw_instant;

chan buffer[2] = [8] of { mtype, byte, byte };

/* Part of every step that changes what the poll may say. */
inline observe()
{
	if
	:: polls && passed && !up[0] && !up[1] -> saw_instant = true
	:: else
	fi
}

inline lock(o) { atomic { !locked[o] -> locked[o] = true } }

/* What a writer stored becomes visible. */
proctype Visible(byte writer)
{
	byte o, value;

end:	do
	:: atomic {
		buffer[writer]?STATE(o, value) ->
		state[o] = value;
		if
		:: !value -> up[o] = false
		:: else
		fi;
		observe()
	   }
	:: atomic {
		buffer[writer]?RISES(o, value) ->
		rises[o] = value;
		up[o] = true
	   }
	:: atomic { buffer[writer]?LOCK(o, value) -> locked[o] = false }
	od
}

inline store_rise(o)
{
#ifdef RISES_FIRST
	buffer[me]!RISES(o, (rises[o] + 1) & OLD);
	buffer[me]!STATE(o, 1)
#else
	if
	:: atomic {
		buffer[me]!STATE(o, 1);
		buffer[me]!RISES(o, (rises[o] + 1) & OLD)
	   }
#ifdef STORE_PLAIN
	:: atomic {
		buffer[me]!RISES(o, (rises[o] + 1) & OLD);
		buffer[me]!STATE(o, 1)
	   }
#endif
	fi
#endif
}

proctype Writer(byte me)
{
	byte o, n;

	do
	:: n < STEPS ->
		n++;
		if
		:: o = 0
		:: o = 1
		fi;
		lock(o);
		if
		:: !state[o] -> store_rise(o)
		:: state[o] -> buffer[me]!STATE(o, 0)
		fi;
		buffer[me]!LOCK(o, 0)
	:: else -> break
	od
}

proctype Clock()
{
	atomic { passed = true; observe() }
}

/* Sets seen, and before: the rises that were read before the state. */
inline look(o)
{
#ifdef STATE_FIRST
	seen = state[o];
	before = rises[o]
#else
	if
	:: before = rises[o]; seen = state[o]
	fi
#endif
}

/* The sum of the rises of the first count events, read one by one. */
inline sum_rises(count)
{
	sum = 0;
	if
	:: count > 0 -> atomic { sum = rises[0]; was_up = up[0] }
	:: else
	fi;
	if
	:: count > 1 -> sum = (sum + rises[1]) & OLD
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

/*
 * Take an event that looked set, if those before it have stayed unset.  It is
 * taken when their rises are read: nobody can tell, since it is locked.
 */
inline take(o)
{
	lock(o);
	if
	:: !state[o] -> total = (total + rises[o]) & OLD
	:: else ->
		sum_rises(o);
#ifdef TAKE_ANYWAY
		sum = total;
#endif
		if
		:: sum != total -> doubt = true
		:: sum == total ->
			assert(o == 0 || !was_up);
			acquire(o)
		fi
	fi;
	locked[o] = false
}

/* With both locked, in the order of the array. */
inline poll_locked()
{
	lock(0);
	lock(1);
	if
	:: state[0] -> acquire(0)
	:: !state[0] && state[1] -> assert(!up[0]); acquire(1)
	:: else -> assert(!up[0] && !up[1])
	fi;
	locked[1] = false;
	locked[0] = false
}

proctype Poller()
{
	byte n, before, total, sum, taken = NONE;
	bool seen, doubt, in_time, was_up;

	atomic { polls = true; observe() }
	do
	:: n < 2 && taken == NONE && !doubt ->
		look(n);
		if
		:: seen -> take(n)
		:: else -> total = (total + before) & OLD
		fi;
		n++
	:: else -> break
	od;
	if
	:: taken == NONE ->
#ifdef CLOCK_LAST
		sum_rises(2);
		in_time = passed;
#else
		in_time = passed;
		sum_rises(2);
#endif
#ifdef NO_COMPARE
		sum = total;
#endif
		if
		/* Not a poll after all: it queues. */
		:: !in_time
		:: in_time && !doubt && sum == total -> assert(saw_instant)
		:: in_time && (doubt || sum != total) ->
			poll_locked();
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
		run Visible(0);
		run Writer(0);
#if WRITERS > 1
		run Visible(1);
		run Writer(1);
#endif
		run Clock();
		run Poller()
	}
}
