"""
One port for everything: links are served by ourselves, every other connection by gRPC. Opened by `serve`.

    listener   the socket, TLS, and what becomes of each connection
    mark       how a link is told from other HTTP/2
    sockets    what an address stands for
    splice     bytes to and from the gRPC server, which listens on a Unix socket that nobody else reaches
"""
