/* Loaded before other libraries (LD_PRELOAD): the monotonic clock of C++ is AHEAD seconds ahead, as that of another computer may be.
 * liblsl reads it; what a process does in C, as GStreamer, keeps the system's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

#define AHEAD 1000

/* std::chrono::steady_clock::now, nanoseconds. */
long long
_ZNSt6chrono3_V212steady_clock3nowEv (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (time.tv_sec + AHEAD) * 1000000000LL + time.tv_nsec;
}

/* What waits until a time has read that clock before. */
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
