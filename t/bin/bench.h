/*
 * bench - the time, for programs that measure.
 */
#ifndef T_BIN_BENCH_H
#define T_BIN_BENCH_H

#include <sys/resource.h>
#include <time.h>

/* Seconds, of a clock that only goes on. */
static inline double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds that this process has worked, in it and in the kernel. */
static inline double
cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

#endif
