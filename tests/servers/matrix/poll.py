"""poll.py PORT FILE - ask the endpoint for a page again and again; each answer is a line of FILE: "BEGAN ENDED WHAT".

WHAT is ok, refused, cut (accepted, and then no answer), hung, or the status; the times are in seconds.
"""
import socket
import sys
import time

port, path = int(sys.argv[1]), sys.argv[2]
question = b"GET /debug/pprof/ HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n" % port


def ask():
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            try:
                connection.sendall(question)
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
            except TimeoutError:
                return "hung"
            except OSError:
                return "cut"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return "error-%d" % (error.errno or 0)
    if not answer:
        return "cut"
    status = answer.split(b" ", 2)[1].decode("ascii", "replace")
    return "ok" if status == "200" else status


with open(path, "a", buffering=1) as log:
    while True:
        began = time.time()
        what = ask()
        log.write("%.6f %.6f %s\n" % (began, time.time(), what))
        time.sleep(0.01)
