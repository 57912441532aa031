#include "growth/heavy.h"

#include "model/grow.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static bool is_heavy(const struct ph_trie_node *node, double change, double variance, double total)
{
    return node->depth > 0 && change > 0 && change >= PH_HEAVY_SHARE * total &&
           change >= PH_HEAVY_Z * sqrt(fmax(0, variance));
}

int ph_heavy_find(const struct ph_trie *trie, double total, struct ph_heavy **ret_heavy, uint32_t *ret_count)
{
    struct ph_heavy *heavy = NULL;
    uint32_t count = 0;
    int status = 0;
    struct ph_heavy *explained =
        calloc(trie->node_count, sizeof(*explained)); /* by node: reported in it and below */
    if (!explained)
        return -ENOMEM;
    for (uint32_t i = trie->node_count; i-- > 0 && status == 0;) { /* children come before parents */
        const struct ph_trie_node *node = &trie->nodes[i];
        double change = node->sums.change - explained[i].change;
        double variance = node->sums.variance - explained[i].variance;
        if (is_heavy(node, change, variance, total)) {
            status = ph_grow(&heavy, sizeof(*heavy), count, 1);
            if (status == 0)
                heavy[count++] = (struct ph_heavy){i, change, variance};
            explained[i] = (struct ph_heavy){i, node->sums.change, node->sums.variance};
        }
        if (i) {
            explained[node->parent].change += explained[i].change;
            explained[node->parent].variance += explained[i].variance;
        }
    }
    free(explained);
    if (status < 0) {
        free(heavy);
        return status;
    }
    *ret_heavy = heavy;
    *ret_count = count;
    return 0;
}
