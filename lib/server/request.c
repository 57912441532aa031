#include "server/request.h"

#include "base/scan.h"
#include "family/family.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Decode %XX; the rest stays as it is, and so does %00, which would end the string early. Returns the new length. */
static size_t decode(char *text, size_t size_bytes, bool plus_is_blank)
{
    size_t out = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        int high = text[i] == '%' && i + 2 < size_bytes ? hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low >= 0 && (high || low)) {
            text[out++] = (char)(high << 4 | low);
            i += 2;
        } else {
            text[out++] = plus_is_blank && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

static void note_url(const struct ph_site *site, char ret_url[PH_URL_MAX])
{
    if (site && site->family)
        ph_segment_url(ph_family_segment(site->family), ret_url);
    else if (site)
        snprintf(ret_url, PH_URL_MAX, "%s", site->url);
}

struct ph_request *ph_request_new(const struct ph_site *site, const char *target)
{
    struct ph_request *request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->site = site;
    note_url(site, request->url);
    request->target = strdup(target);
    if (!request->target) {
        free(request);
        return NULL;
    }
    size_t path_bytes = strcspn(request->target, "?");
    bool has_query = request->target[path_bytes] == '?';
    request->query = request->target + path_bytes + has_query;
    request->target[path_bytes] = '\0';
    request->target[decode(request->target, path_bytes, false)] = '\0';
    request->path = request->target;
    return request;
}

void ph_request_free(struct ph_request *request)
{
    if (!request)
        return;
    ph_buf_fini(&request->body);
    free(request->target);
    free(request);
}

enum ph_method ph_method_parse(const char *text)
{
    static const struct {
        const char *name;
        enum ph_method method;
    } methods[] = {{"GET", PH_METHOD_GET}, {"HEAD", PH_METHOD_HEAD}, {"POST", PH_METHOD_POST}};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(text, methods[i].name) == 0)
            return methods[i].method;
    return PH_METHOD_OTHER;
}

bool ph_query_text(const char *query, const char *name, char *ret_value, size_t capacity)
{
    size_t name_bytes = strlen(name);
    while (*query) {
        size_t pair_bytes = strcspn(query, "&");
        bool found = pair_bytes >= name_bytes && memcmp(query, name, name_bytes) == 0 &&
                     (pair_bytes == name_bytes || query[name_bytes] == '=');
        if (found) {
            size_t skipped = pair_bytes == name_bytes ? name_bytes : name_bytes + 1;
            size_t value_bytes = pair_bytes - skipped < capacity - 1 ? pair_bytes - skipped : capacity - 1;
            memcpy(ret_value, query + skipped, value_bytes);
            ret_value[decode(ret_value, value_bytes, true)] = '\0';
            return true;
        }
        query += pair_bytes + (query[pair_bytes] == '&');
    }
    return false;
}

int64_t ph_query_number(const char *query, const char *name)
{
    char text[24];
    uint64_t value;
    if (!ph_query_text(query, name, text, sizeof(text)))
        return 0;
    bool negative = text[0] == '-';
    const char *digits = text + (negative || text[0] == '+');
    if (ph_parse_count(digits, INT64_MAX, &value) < 0)
        return 0;
    return negative ? -(int64_t)value : (int64_t)value;
}

/* "q=0.8" in thousandths: one digit, and up to three behind the point. */
static unsigned parse_quality(const char *text, const char *end)
{
    unsigned quality = 0, weight = 1000;
    for (; text < end && weight; text++) {
        if (*text == '.')
            continue;
        if (*text < '0' || *text > '9')
            break;
        quality += (unsigned)(*text - '0') * weight;
        weight /= 10;
    }
    return quality < 1000 ? quality : 1000;
}

/* How well one media range fits: 3 for the type itself, 2 for "text" and a star, 1 for two stars, 0 for no fit. */
static unsigned fits(const char *range, size_t size_bytes, const char *type)
{
    size_t slash = strcspn(type, "/");
    if (size_bytes == strlen(type) && strncasecmp(range, type, size_bytes) == 0)
        return 3;
    if (size_bytes == slash + 2 && strncasecmp(range, type, slash + 1) == 0 && range[slash + 1] == '*')
        return 2;
    return size_bytes == 3 && memcmp(range, "*/*", 3) == 0;
}

/* The value of the parameter q of one media range, NULL if it has none; names know no case. */
static const char *find_quality(const char *range, const char *end)
{
    const char *parameter = memchr(range, ';', (size_t)(end - range));
    while (parameter) {
        parameter++;
        parameter += strspn(parameter, " \t");
        if ((*parameter | 0x20) == 'q' && parameter[1] == '=')
            return parameter + 2;
        parameter = parameter < end ? memchr(parameter, ';', (size_t)(end - parameter)) : NULL;
    }
    return NULL;
}

/* The quality of the closest range; 0 if none fits. */
static unsigned quality_of(const char *accept, const char *type)
{
    unsigned best_fit = 0, quality = 0;
    while (*accept) {
        accept += strspn(accept, " \t,");
        const char *end = accept + strcspn(accept, ",");
        unsigned fit = fits(accept, strcspn(accept, " \t;,"), type);
        const char *stated = find_quality(accept, end);
        if (fit > best_fit) {
            best_fit = fit;
            quality = stated ? parse_quality(stated, end) : 1000;
        }
        accept = end;
    }
    return quality;
}

int ph_accept_choose(const char *accept, const char *const *types)
{
    int chosen = -1;
    unsigned best = 0;
    if (accept[strspn(accept, " \t,")] == '\0')
        return 0;
    for (int i = 0; types[i]; i++) {
        unsigned quality = quality_of(accept, types[i]);
        if (quality > best) {
            best = quality;
            chosen = i;
        }
    }
    return chosen;
}
