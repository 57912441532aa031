/* plugin_inner.c - found only through the RUNPATH of plugin_outer.c. */
const char *inner_name(void)
{
    return "inner plugin";
}
