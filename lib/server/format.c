#include "server/format.h"

#include <string.h>

static const struct {
    const char *name, *accepted, *type;
} formats[] = {
    [PH_FORMAT_JSON] = {"json", PH_JSON, PH_JSON},
    [PH_FORMAT_TEXT] = {"text", "text/plain", PH_TEXT_PLAIN},
    [PH_FORMAT_HTML] = {"html", "text/html", PH_TEXT_HTML},
};

#define FORMAT_COUNT ((int)(sizeof(formats) / sizeof(formats[0])))

int ph_format_choose(const struct ph_request *request, struct ph_reply *reply)
{
    const char *const types[] = {formats[0].accepted, formats[1].accepted, formats[2].accepted, NULL};
    char name[16];
    if (!ph_query_text(request->query, "format", name, sizeof(name)) || !name[0]) {
        int chosen = ph_accept_choose(request->accept, types);
        return chosen < 0 ? PH_FORMAT_JSON : chosen;
    }
    int i = FORMAT_COUNT - 1;
    while (i >= 0 && strcmp(formats[i].name, name) != 0)
        i--;
    if (i < 0)
        ph_reply_error(request, reply, 400, "unknown format: expected json, text or html");
    return i;
}

void ph_format_begin(struct ph_reply *reply, enum ph_format format)
{
    ph_reply_begin(reply, formats[format].type);
}
