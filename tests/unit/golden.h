/* golden.h - outputs as a whole, in tests/golden; PORTHOLE_TEST_GOLDEN=write writes them anew. */
#ifndef PH_TESTS_GOLDEN_H
#define PH_TESTS_GOLDEN_H

/** golden_expect() - the file @name holds @text. */
void golden_expect(const char *name, const char *text);

/** golden_read() - the file @name, which is text; free() it. */
char *golden_read(const char *name);

#endif
