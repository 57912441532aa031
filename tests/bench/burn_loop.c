/*
 * burn_loop.c - work for profiling.py: for each line on standard input the same loop again, and the CPU time it took this thread, in
 * nanoseconds, on standard output.
 *
 *   burn_loop PORT     listens there, so that an endpoint opens
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define TURNS 60000000 /* some 100 ms */

static uint64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int listens(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 16) == 0;
}

int main(int argc, char **argv)
{
    char line[16];
    if (argc < 2 || !listens(atoi(argv[1])))
        return 1;
    while (fgets(line, sizeof(line), stdin)) {
        uint64_t from = thread_cpu_ns(), word = 1;
        for (int turn = 0; turn < TURNS; turn++) {
            word = word * UINT64_C(6364136223846793005) + 1;
            __asm__ volatile("" : "+r"(word));
        }
        printf("%lu\n", (unsigned long)(thread_cpu_ns() - from));
        fflush(stdout);
    }
    return 0;
}
