/* Loses the first wake-up of lgpio's alert thread, as lgpio itself does when the thread is between its look at the
 * pins and its wait; later ones pass. */
#define _GNU_SOURCE
#include <pthread.h>

static int calls;

void xSendUnwaitSignal(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	if (__atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST) == 0)
		return;
	pthread_mutex_lock(mutex);
	pthread_cond_signal(condition);
	pthread_mutex_unlock(mutex);
}
