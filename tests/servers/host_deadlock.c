/* host_deadlock.c PORT - listens; 30 threads wait in accept(), two for each other's mutex, one never stops. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORKERS 30

static pthread_mutex_t account = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_hold;

static void *transfer(void *unused)
{
    pthread_setname_np(pthread_self(), "transfer");
    pthread_mutex_lock(&account);
    pthread_barrier_wait(&both_hold);
    pthread_mutex_lock(&journal);
    return unused;
}

static void *refund(void *unused)
{
    pthread_setname_np(pthread_self(), "<refund>");
    pthread_mutex_lock(&journal);
    pthread_barrier_wait(&both_hold);
    pthread_mutex_lock(&account);
    return unused;
}

static void *serve(void *listener)
{
    pthread_setname_np(pthread_self(), "worker");
    for (;;)
        close(accept(*(int *)listener, NULL, NULL));
    return NULL;
}

static __attribute__((noinline)) void never_stops(void)
{
    for (volatile unsigned long n = 0;; n++)
        continue;
}

static void *spin(void *unused)
{
    pthread_setname_np(pthread_self(), "spinner");
    never_stops();
    return unused;
}

static void start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, argument) != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_port = htons((in_port_t)atoi(argc > 1 ? argv[1] : "0"));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 16) < 0)
        return 1;
    pthread_barrier_init(&both_hold, NULL, 2);
    start(transfer, NULL);
    start(refund, NULL);
    start(spin, NULL);
    for (int i = 0; i < WORKERS; i++)
        start(serve, &listener);
    sleep(120);
    return 0;
}
