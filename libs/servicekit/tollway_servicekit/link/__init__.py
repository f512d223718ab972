"""
Links: many calls on one stream. `tollway.link.v1`, the third way between services.

A unary gRPC call between two Python processes costs hundreds of µs of CPU, whatever it carries. A link is one
long-lived bidirectional stream to a peer; the frames of all calls that are made in one tick of the loop leave as one
message, so that its price is shared. `stubs.link_stub` makes calls, `serve.serving` answers them.

    frames            what a message is made of
    parts, pieces     how long ones are put together
    writer, flow      what leaves in one message, who waits for whom
    carry             what a link and the stream under it are to each other
    http2             the stream, spoken by ourselves
    grpc_carry        the stream through grpcio, at a server whose caller is no link of ours
    pending, client   the caller's end of one link
    server, served, answering   the server's end
    addresses, peer, peers   a link for each peer behind an address, opened again when it breaks
    deadlines         one timer for the deadlines of all calls
    tally             what links did, for metrics
"""
