/*
 * share.h - private to this room: the sockets that a family listens at, whoever of it is the front.
 *
 * The founder opens them and bequeaths them (probe.h); from then on they wait in every member. The front takes them out and
 * polls them. So the port is open as long as anybody of the family lives, and a connection made while there is no front waits
 * in the kernel for the next one.
 */
#ifndef PH_SERVER_SHARE_H
#define PH_SERVER_SHARE_H

#include "server/state.h"

/** ph_share_open() - the founder: listen as PORTHOLE_LISTEN says. Others: nothing but what they need to follow. 0, or a
 * negative errno with @error. */
int ph_share_open(struct ph_server *server, struct ph_error *error);

/** ph_share_adopt() - this process has become the front: take over the sockets, or listen where they listened; then as
 * ph_share_announce(). */
void ph_share_adopt(struct ph_server *server);

/** ph_share_announce() - the front: tell other generations what it has, by a beacon for each address. Where another process
 * holds its name still, it is lit when that has gone: what server->rivals tells. */
void ph_share_announce(struct ph_server *server);

/** ph_share_settle() - server->rivals[@index] was reported: light the beacon if its name is free now. */
void ph_share_settle(struct ph_server *server, unsigned index);

/** ph_share_add() - the front listens at @listener, too, from now on, and the family is known to be there. */
void ph_share_add(struct ph_server *server, const struct ph_address *address, const struct ph_listener *listener);

/** ph_share_has() - does the front listen at @address? */
bool ph_share_has(const struct ph_server *server, const struct ph_address *address);

/** ph_share_end() - poll no listener any more. If nobody is left to follow, the addresses are free. Twice is fine. */
void ph_share_end(struct ph_server *server);

/** ph_share_beacon() - the name of the beacon for @address of this program. */
void ph_share_beacon(const struct ph_server *server, const struct ph_address *address, char *ret_name);

#endif
