/* Loaded before other libraries (LD_PRELOAD): the monotonic clock of a process is AHEAD seconds ahead, as that of another computer
 * may be. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

#define AHEAD 1000

int
clock_gettime (clockid_t clock, struct timespec *time)
{
  static int (*next) (clockid_t, struct timespec *);
  if (next == NULL)
    next = (int (*) (clockid_t, struct timespec *)) dlsym (RTLD_NEXT, "clock_gettime");
  int result = next (clock, time);
  if (result == 0 && clock == CLOCK_MONOTONIC)
    time->tv_sec += AHEAD;
  return result;
}

/* What waits until a time has read the clock before. */
int
pthread_cond_clockwait (pthread_cond_t * condition, pthread_mutex_t * mutex, clockid_t clock,
    const struct timespec *end)
{
  static int (*next) (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
  if (next == NULL)
    next = (int (*) (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))
        dlsym (RTLD_NEXT, "pthread_cond_clockwait");
  struct timespec system_end = *end;
  if (clock == CLOCK_MONOTONIC)
    system_end.tv_sec -= AHEAD;
  return next (condition, mutex, clock, &system_end);
}
