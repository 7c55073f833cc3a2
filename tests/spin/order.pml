/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The order of stores and looks between two threads, where each store goes
 * through a buffer and becomes visible later.  Names are those of ntsync.c.
 *
 * CASE=1: two threads each set an event of their own, then poll the other's.
 *	One of the two finds it set.
 * CASE=2: a thread sets a manual-reset event, which satisfies a wait for all of
 *	it and an auto-reset event that is set.  At every instant one of the
 *	two is set, so a poll of both finds one.
 * CASE=3: a granter ends a wait.  The waiter does not sleep on, sees all that
 *	was stored before done, and nothing is stored in its memory after that.
 *
 * sizes: CASE=1
 * sizes: CASE=2
 * sizes: CASE=3
 *
 * break: NO_BARRIER		a wait looks without a full barrier before
 * break: FALL_FIRST		a step stores what falls before what rises
 * break: FALL_PLAIN		... or lets both become visible in any order
 * break: DONE_PLAIN		done may become visible before earlier stores
 * break: NO_STATE_BARRIER	the waiter looks at done before others see that
 *				it sleeps
 * break: NO_WAKE_BARRIER	the granter looks whether the waiter sleeps before
 *				others see done
 */

/* Words of memory. */
#define A		0	/* an event */
#define B		1	/* another */
#define RISES		2	/* of A */
#define OWNER_DEAD	3
#define DONE		4
#define ASLEEP		5

byte word[6];
bool memory_gone;
chan buffer[2] = [4] of { byte, byte };

/* A full barrier: all is visible that was stored before. */
#define smp_mb()	(empty(buffer[me]))

proctype Visible(byte me)
{
	byte where, value;

end:	do
	:: atomic {
		buffer[me]?where, value ->
		assert(where < OWNER_DEAD || where > DONE || !memory_gone);
		word[where] = value
	   }
	od
}

/* CASE=1 */

byte found, ended;

proctype SignalAndPoll(byte me)
{
	buffer[me]!A + me, 1;
#ifndef NO_BARRIER
	smp_mb();
#endif
	atomic {
		found = found + word[B - me];
		ended++;
		assert(ended < 2 || found)
	}
}

/* CASE=2 */

proctype Set(byte me)
{
#ifdef FALL_FIRST
	buffer[me]!B, 0;
	buffer[me]!A, 1;
	buffer[me]!RISES, 1
#else
	if
	:: true ->
		buffer[me]!A, 1;
		buffer[me]!RISES, 1;
		buffer[me]!B, 0
#ifdef FALL_PLAIN
	:: true ->
		buffer[me]!B, 0;
		buffer[me]!A, 1;
		buffer[me]!RISES, 1
#endif
	fi
#endif
}

/* B first: what rises meanwhile comes after it. */
proctype Poll(byte me)
{
	byte before, a, b;

	b = word[B];
	before = word[RISES];
	a = word[A];
	assert(a || b || word[RISES] != before)
}

/* CASE=3 */

proctype Granter(byte me)
{
	if
	:: true ->
		buffer[me]!OWNER_DEAD, 1;
		buffer[me]!DONE, 1
#ifdef DONE_PLAIN
	:: true ->
		buffer[me]!DONE, 1;
		buffer[me]!OWNER_DEAD, 1
#endif
	fi;
	/* In wake_up_process(). */
#ifndef NO_WAKE_BARRIER
	smp_mb();
#endif
	if
	:: word[ASLEEP] -> word[ASLEEP] = 0
	:: else
	fi
}

proctype Waiter(byte me)
{
	do
	::
		buffer[me]!ASLEEP, 1;
#ifndef NO_STATE_BARRIER
		smp_mb();
#endif
		if
		:: word[DONE] -> break
		:: else
		fi;
		/* The CPU that goes to sleep has stored all. */
		smp_mb();
		!word[ASLEEP]
	od;
	assert(word[OWNER_DEAD]);
	memory_gone = true
}

init
{
	atomic {
		run Visible(0);
		run Visible(1);
#if CASE == 1
		run SignalAndPoll(0);
		run SignalAndPoll(1)
#elif CASE == 2
		word[B] = 1;
		run Set(0);
		run Poll(1)
#else
		run Granter(0);
		run Waiter(1)
#endif
	}
}
