/*
 * wish.h - private to this room: a family that did not get the address it was to listen at gets it later.
 *
 * Issue: a server that is reloaded or upgraded starts its next generation while the last one still holds the port, and the
 * next one listens elsewhere: whoever asks at the known port would ask a dying generation, then nobody.
 * Solution: the front of each family lights a beacon for every address it has. The front of the next generation watches that,
 * tries to listen when it goes out, and keeps its old port, too.
 * Without a generation that says so, a port that is taken is somebody else's, and stays that.
 */
#ifndef PH_SERVER_WISH_H
#define PH_SERVER_WISH_H

#include "server/state.h"

/** ph_wish_begin() - the front: if it does not listen at the address that PORTHOLE_LISTEN names, try to get it. */
void ph_wish_begin(struct ph_server *server);

/** ph_wish_is_due() - has the time of another try come? ph_wish_try() - then, or when the watched descriptor is reported. */
bool ph_wish_is_due(const struct ph_server *server);
void ph_wish_try(struct ph_server *server);

/** ph_wish_end() - wish no more. Twice is fine. */
void ph_wish_end(struct ph_server *server);

#endif
