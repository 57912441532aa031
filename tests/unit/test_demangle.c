#include "model/demangle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static void expect_name(const char *symbol, const char *wanted)
{
    char *name = ph_demangle(symbol);
    assert_string_equal(name, wanted);
    free(name);
}

static void cpp_names_are_written_with_their_parameters(void **state)
{
    expect_name("_Z5parsePKc", "parse(char const*)");
    expect_name("_ZNK4tree4NodeIiE4findERKSs", "tree::Node<int>::find(std::string const&) const");
    expect_name("_Znwm", "operator new(unsigned long)");
    expect_name("_ZN5ServeC1Ev", "Serve::Serve()");
}

static void rust_names_lose_their_hash(void **state)
{
    expect_name("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad");
    expect_name("_RNvC7mycrate3foo", "mycrate::foo");
}

static void what_is_not_mangled_stays(void **state)
{
    static const char *const names[] = {"main",   "",    "_Z",           "_start",
                                        "malloc", "_ZN", "runtime.main", "main.(*Tree).add"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        expect_name(names[i], names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpp_names_are_written_with_their_parameters),
        cmocka_unit_test(rust_names_lose_their_hash),
        cmocka_unit_test(what_is_not_mangled_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
