/*
 * host_alloca.cc - throws from below frames of all sizes: alloca(), over-aligned arrays, vectors, arguments in memory.
 * Prints how often it caught, and the sum of what was thrown.
 *
 *   host_alloca ROUNDS
 */
#include <algorithm>
#include <alloca.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

static unsigned long state = 88172645463325252UL;

static unsigned random_below(unsigned limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<unsigned>(state >> 33) % limit;
}

static void descend(int depth);

__attribute__((noinline)) static void through_alloca(int depth)
{
    size_t size_bytes = 1 + random_below(4000);
    char *memory = static_cast<char *>(alloca(size_bytes));
    memset(memory, depth, size_bytes);
    auto owned = std::make_unique<std::string>(memory, size_bytes % 100);
    descend(depth - 1);
    memory[0]++;
}

__attribute__((noinline)) static double through_aligned(int depth, double a, double b, int c, int d, int e, int f,
                                                        int g, int h, int i)
{
    alignas(64) double numbers[64];
    char *memory = static_cast<char *>(alloca(1 + random_below(200)));
    memory[0] = static_cast<char>(depth);
    for (int at = 0; at < 64; at++) /* what a compiler makes vectors of */
        numbers[at] = a * at + b;
    std::vector<double> copy(numbers, numbers + 64);
    descend(depth - 1);
    for (int at = 0; at < 64; at++)
        numbers[at] = numbers[at] * a + copy[static_cast<size_t>(at)];
    return numbers[c] + d + e + f + g + h + i + memory[0];
}

__attribute__((noinline)) static void through_sort(int depth)
{
    std::vector<std::string> words = {"some words", "of which", "the third", "and the fourth",
                                      "are long enough to be on the heap"};
    std::sort(words.begin(), words.end(), [depth](const std::string &one, const std::string &other) {
        if (random_below(6) == 0)
            descend(depth - 1);
        return one < other;
    });
    descend(depth - 1);
}

static void descend(int depth)
{
    if (depth <= 0)
        throw std::runtime_error(std::to_string(random_below(1000)));
    switch (random_below(4)) {
    case 0:
        return through_alloca(depth);
    case 1:
        through_aligned(depth, 1.5, 2.5, 3, 4, 5, 6, 7, 8, 9);
        return;
    case 2:
        return through_sort(depth);
    default:
        std::function<void()> call = [depth, padding = std::string(40, 'x')] { descend(depth - 1); };
        return call();
    }
}

int main(int, char **arguments)
{
    long caught = 0, sum = 0;
    for (int rounds = atoi(arguments[1]); rounds > 0; rounds--) {
        try {
            descend(1 + static_cast<int>(random_below(30)));
        } catch (const std::exception &exception) {
            caught++;
            sum += std::stol(exception.what());
        }
    }
    printf("caught %ld, sum %ld\n", caught, sum);
}
